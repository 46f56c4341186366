"""libcurl and its TLS come into an agent that speaks HTTP, and into no other."""

import glob
import os
import shutil
import subprocess
import unittest

import edgecase
import weir

URL = 'URL "http://127.0.0.1:9"'  # nobody listens
MODULE = "weir_http.so"


def libraries(pid):
    """File names of what a process has mapped."""
    with open("/proc/%d/maps" % pid) as lines:
        return {os.path.basename(x.split()[-1]) for x in lines if ".so" in x}


class TransportTest(weir.Case):
    def mapped(self, source):
        agent = self.collectd(
            weir.m4_block("127.0.0.1:9") + edgecase.chain([source]))
        agent.wait_ready()
        names = libraries(agent.pid)
        agent.stop()
        return [n for n in names if n.startswith(("libcurl", MODULE))]

    def test_an_agent_without_url_has_no_libcurl(self):
        self.assertEqual(self.mapped('Model "%s"' % weir.EIM), [])

    def test_an_agent_with_url_has(self):
        self.assertEqual(len(self.mapped(URL)), 2)

    def test_the_module_alone_is_linked_to_it(self):
        linked = [os.path.basename(so)
                  for so in glob.glob(os.path.join(weir.PLUGINDIR, "*.so"))
                  if "libcurl" in subprocess.check_output(
                      ["readelf", "-d", so], text=True)]
        self.assertEqual(linked, [MODULE])

    def config(self, block):
        """`block`, with the plugins in a folder of this test."""
        self.folder = os.path.join(self.dir, "plugins")
        shutil.copytree(weir.PLUGINDIR, self.folder)
        os.remove(os.path.join(self.folder, MODULE))
        return 'PluginDir "%s"\n%s' % (self.folder, block)

    def assert_refused(self, config, *words):
        status, log = weir.check_config(self.dir, config)
        self.assertNotEqual(status, 0, log)
        for word in words:
            self.assertIn(word, log)

    def test_without_the_module(self):
        """Who needs it is refused, in one sentence; who does not, starts."""
        config = self.config(edgecase.chain([URL]))
        self.assert_refused(config, "HTTP cannot be had", MODULE)
        status, log = weir.check_config(
            self.dir, config.replace(URL, 'Model "%s"' % weir.EIM))
        self.assertEqual(status, 0, log)

    def test_the_cloud_without_the_module(self):
        block = weir.cloud_block("https://127.0.0.1:9", "/nonexistent")
        self.assert_refused(self.config(block), "write_arduino_cloud",
                            "HTTP cannot be had", MODULE)

    def stand_in(self, code):
        config = self.config(edgecase.chain([URL]))
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o",
                        os.path.join(self.folder, MODULE)], check=True,
                       text=True, input=code)
        return config

    def test_a_module_of_another_version(self):
        self.assert_refused(
            self.stand_in('struct { const char *v; } wr_http_curl = {"0.0"};'),
            "is of Weir 0.0")

    def test_a_module_that_is_none(self):
        self.assert_refused(self.stand_in("int other;"), "HTTP cannot be had")


if __name__ == "__main__":
    unittest.main()
