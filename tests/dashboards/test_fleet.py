"""dashboards/FLEET.md and what it names: the page, its figures, a real agent,
certificates that renew."""

import os
import shutil
import subprocess
import unittest

import fleet_page
import stack
import baselinecase
import weir

RENEW = os.path.join(stack.ROOT, "agent-config", "fleet",
                     "renew-certificate")


class Folder(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.join(weir.BUILD, "fleet", self._testMethodName)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)

    def run_process(self, process):
        self.addCleanup(process.kill)
        return process.start()


class PageTest(Folder):
    def test_the_tables_are_made_of_the_figures(self):
        with open(fleet_page.PAGE) as file:
            page = file.read()
        self.assertEqual(page, fleet_page.rendered(page, fleet_page.load()))

    def test_a_real_agent_has_as_many_series(self):
        """Of each of these plugins; each of their values is one number."""
        m4 = self.run_process(weir.M4Sim(self.dir, "--flow", "10"))
        cloud = self.run_process(weir.CloudSim(self.dir))
        agent = self.run_process(weir.Collectd(
            self.dir, weir.m4_block(m4.address) + weir.chain_block() +
            weir.cloud_block(cloud.url, cloud.credentials(self.dir))))
        compare(self, agent, ("m4_rpc", "edge_impulse",
                              "write_arduino_cloud"))


class BaselineTest(baselinecase.Case):
    def test_a_baseline_that_has_learnt_has_as_many(self):
        agent = self.start()
        self.learn(agent)
        compare(self, agent, ("flow_baseline",))


def compare(case, agent, plugins):
    """Wait until the agent has as many series as the page says."""
    due = {n: fleet_page.load()["series"][n] for n in plugins}

    def found():
        names = [s[0] for s in {(v["plugin"], v["plugin_instance"], v["type"],
                                 v["type_instance"]) for v in agent.values()}]
        return {n: names.count(n) for n in plugins}
    try:
        weir.wait_until(lambda: found() == due, "series are as written",
                        alive=agent)
    except AssertionError:
        case.assertEqual(found(), due)
        raise


class RenewTest(Folder):
    def setUp(self):
        super().setUp()
        self.authority = weir.Authority(self.dir)
        shutil.copy(self.authority.cert, self.path("ca.pem"))

    def path(self, name):
        return os.path.join(self.dir, name)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def sign(self, days=10, more=""):
        """A SIGN command: what an authority does with a request."""
        return ("cat >request && openssl x509 -req -in request -CA %s -CAkey "
                "%s -CAcreateserial -days %d %s" % (
                    self.authority.cert, self.authority.key, days, more))

    def renew(self, sign, name="board-1", **env):
        done = subprocess.run(
            [RENEW, self.dir, name], text=True, capture_output=True,
            env=dict(os.environ, SIGN=sign, AFTER="echo restarted", **env))
        return done.returncode, done.stdout + done.stderr

    def test_it_enrols_and_renews_in_time(self):
        self.assertEqual(self.renew(self.sign())[0], 0)
        first = self.read("board.pem")
        self.assertEqual(os.stat(self.path("board.key")).st_mode & 0o77, 0)
        self.assertEqual(self.renew(self.sign(), DAYS="5"), (0, ""))
        self.assertEqual(self.read("board.pem"), first)
        code, said = self.renew(self.sign())  # of ten days, 30 are wanted
        self.assertEqual((code, "restarted" in said), (0, True), said)
        self.assertNotEqual(self.read("board.pem"), first)
        self.assertEqual([x for x in os.listdir(self.dir)
                          if x.startswith(".new")], [])

    def test_what_does_not_fit_leaves_the_old_pair(self):
        self.renew(self.sign())
        old = self.read("board.pem"), self.read("board.key")
        other = weir.Authority(self.dir, "other")
        cert, _ = self.authority.issue("board-1")
        for sign, why in (
                ("cat >/dev/null; exit 1", ""),
                ("cat", "no certificate of this authority"),
                ("cat >/dev/null; cat " + other.issue("board-1")[0],
                 "no certificate of this authority"),
                ("cat >/dev/null; cat " + cert, "not for this key"),
                (self.sign(more="-subj /CN=admin"), "not for board-1")):
            code, said = self.renew(sign)
            self.assertNotEqual(code, 0, sign)
            self.assertIn(why, said)
            self.assertNotIn("restarted", said)
            self.assertEqual((self.read("board.pem"), self.read("board.key")),
                             old)

    def test_how_it_is_called(self):
        code, said = self.renew("")
        self.assertEqual(code, 2)
        self.assertIn("SIGN", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
