# Packages, images, other machines: `make help` lists the targets. Included by
# the Makefile. What a machine lacks is skipped with one line that names it.

PKG := WEIR_BUILD=$(B) nice tests/packaging
# SUITE=trixie: the same for Debian 13. ARCHS=amd64: an image for that alone.
# DEBFULLNAME= DEBEMAIL=: whose packages they are.
export SUITE ARCHS DEBFULLNAME DEBEMAIL

.PHONY: version deb deb-all deb-check arm64-check image image-check dist \
  release
deb: deps-build ## Debian packages for this machine, in build/packages
	@tests/install-deps dpkg-buildpackage:dpkg-dev debhelper fakeroot \
	  libcunit1-dev perl:perl
	@tests/packaging/dist $(B)/dist/weir.tar.gz >/dev/null
	@cd $(B) && $(CURDIR)/tests/packaging/build-deb dist/weir.tar.gz \
	  packages/$$(. /etc/os-release && \
	  echo "$$VERSION_CODENAME")/$$(dpkg --print-architecture)
	@ls $(B)/packages/*/*/*.deb

deb-all: ## packages for amd64 and arm64, reproducible, from a clean root
	@$(PKG)/packages

deb-check: ## install, upgrade, remove and purge them in a clean root
	@$(PKG)/deb-check

arm64-check: ## the end-to-end scenario on the arm64 packages, under qemu
	@$(PKG)/arm64-check

image: ## container images for amd64 and arm64 as one OCI archive (ARCHS=amd64)
	@$(PKG)/image

image-check: ## build, run, kill and watch the containers
	@$(PKG)/image-check

version: ; @echo $(VERSION)

dist: ## the source as one archive
	@tests/packaging/dist $(B)/dist/weir-$(VERSION).tar.gz

release: ## all that a release carries, in build/release (40 min)
	@tests/install-deps dpkg-dev git:git
	@$(PKG)/release
