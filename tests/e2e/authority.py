"""A certificate authority for the tests, made with openssl.

    ca = authority.Authority(directory)
    cert, key = ca.issue("server")          # paths of PEM files
"""

import os
import subprocess
import time


class Authority:
    """A private CA: Authority(dir).issue("name") -> (cert, key) paths."""

    CONFIG = """\
[ca]
default_ca = me
[me]
dir = {dir}
database = {dir}/index.txt
rand_serial = yes
new_certs_dir = {dir}
default_md = sha256
policy = any
[any]
commonName = supplied
"""

    def __init__(self, directory, name="ca"):
        self.dir = os.path.join(directory, name)
        os.makedirs(self.dir)
        self.config = self.path("ca.cnf")
        with open(self.config, "w") as out:
            out.write(self.CONFIG.format(dir=self.dir))
        open(self.path("index.txt"), "w").close()
        self.cert, self.key = self.path("ca.pem"), self.path("ca.key")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                     "/CN=test " + name, "-days", "30", "-keyout", self.key,
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                     "-out", self.cert)

    def path(self, name):
        return os.path.join(self.dir, name)

    @staticmethod
    def openssl(*args):
        done = subprocess.run(("openssl",) + args, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise AssertionError("openssl %s: %s" % (args[0], done.stderr))

    def issue(self, name="server", san="IP:127.0.0.1,DNS:localhost",
              start=None, end=None):
        """start, end: YYYYMMDDHHMMSSZ, for expired or future ones."""
        key, csr, cert = (self.path(name + x) for x in
                          (".key", ".csr", ".pem"))
        ext = self.path(name + ".ext")
        with open(ext, "w") as out:
            out.write("subjectAltName=%s\nauthorityKeyIdentifier=keyid\n"
                      % san)
        self.openssl("req", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                     "/CN=" + name, "-keyout", key, "-out", csr)
        self.openssl("ca", "-batch", "-notext", "-config", self.config,
                     "-cert", self.cert, "-keyfile", self.key, "-in", csr,
                     "-out", cert, "-extfile", ext,
                     "-startdate", start or time.strftime(
                         "%Y%m%d%H%M%SZ", time.gmtime(time.time() - 86400)),
                     "-enddate", end or time.strftime(
                         "%Y%m%d%H%M%SZ", time.gmtime(time.time() + 864000)))
        return cert, key

    def expired(self, name="expired"):
        return self.issue(name, start="20200101000000Z", end="20200201000000Z")
