"""What target_flow_baseline knows outlives restarts, power cuts, damaged files
and changes of its configuration."""

import glob
import os
import unittest

import baselinecase
import weir
from baselinecase import steady


class MemoryTest(baselinecase.Case):
    def test_restart_goes_on(self):
        agent = self.start()
        self.learn(agent)
        self.put(steady(10, 30))
        agent.stop()
        self.restart(agent)
        agent.wait_log("1 series remembered")
        self.put(steady(9.7, 60))  # it settles at what was known
        self.through(agent)
        self.newest(agent, "gauge", "baseline")
        self.assertEqual(agent.values(plugin="flow_baseline", type="bool",
                                      type_instance="learning", value=1), [])
        agent.stop()

    def test_an_alarm_outlives_a_power_cut(self):
        agent = self.start()
        self.learn(agent)
        self.put(steady(9.6, 60))
        self.told(agent, "below its normal 10")
        self.wait_saved(agent)
        weir.wait_until(lambda: self.saved_drift() == "-1",
                        "the alarm is saved", alive=agent)
        agent.signal(9)
        agent.wait_exit()
        self.restart(agent)
        self.put(steady(9.6, 60))
        self.through(agent)
        self.newest(agent, "bool", "drift", lambda v: v["value"] == 1)
        self.assertNotIn("normal again", agent.log())
        self.assertNotRegex(agent.log(), "Notification: .*below")
        self.command("confirm")
        self.told(agent, "is normal from now on, as told")
        agent.stop()

    def saved_drift(self):
        """The field of the state line that says drift."""
        with open(self.state_file()) as text:
            line = text.read().split('"state":"')[1]
        return line.split()[5]

    def test_a_damaged_file_is_set_aside(self):
        agent = self.start()
        self.learn(agent)
        agent.stop()
        with open(self.state_file(), "r+") as text:
            text.seek(100)
            text.write("#")
        for old in glob.glob(self.state_file() + ".old"):
            os.remove(old)
        self.restart(agent)
        agent.wait_log("is damaged; it is set aside")
        agent.wait_log("every series learns anew")
        self.assertTrue(os.path.exists(self.state_file() + ".corrupt"))
        self.learn(agent)
        agent.stop()

    def test_the_file_before_stands_in(self):
        agent = self.start()
        self.learn(agent)
        self.wait_saved(agent)
        agent.stop()  # saves once more: now there are two
        os.remove(self.state_file())
        self.assertTrue(os.path.exists(self.state_file() + ".old"))
        self.restart(agent)
        agent.wait_log("1 series remembered")
        agent.stop()

    def test_a_disk_that_takes_nothing(self):
        agent = self.start('StateFile "/proc/none/state"\n')
        agent.wait_log(r"state cannot be written to /proc/none/state")
        self.learn(agent)
        agent.stop()

    def test_another_constant_converts(self):
        agent = self.start("Constant 450\n")
        self.learn(agent)
        agent.stop()
        self.edit(agent, "Constant 450", "Constant 900")
        self.restart(agent)
        agent.wait_log("constant was changed, its memory is converted")
        self.put(steady(5, 40))
        self.newest(agent, "gauge", "baseline",
                    lambda v: abs(v["value"] - 5) < 0.01)
        self.assertNotRegex(agent.log(), "Notification: .*(below|above)")
        agent.stop()

    def test_lines_of_another_version(self):
        """A newer version's line is kept for it; the others go on."""
        agent = self.start()
        self.learn(agent)
        self.put([5] * 3, plugin="feed-other")
        self.wait_saved(agent, "other")
        agent.stop()
        with open(self.state_file()) as text:
            lines = text.read().splitlines(True)[1:]
        self.assertEqual(len(lines), 2)
        lines = [x.replace('"state":"1 ', '"state":"2 ')
                 if '"pump"' in x else x for x in lines]
        self.write_state("".join(lines))
        self.restart(agent)
        agent.wait_log("1 series remembered")
        agent.wait_log("1 lines of .* are of another version or damaged; "
                       "these series learn anew, and the file is set aside")
        with open(self.state_file() + ".corrupt") as text:
            self.assertIn('"state":"2 ', text.read())
        self.learn(agent)
        agent.stop()

    def write_state(self, body):
        """As lib/flow/state_file.h has it: length and FNV-1a in front."""
        check = 14695981039346656037
        for byte in body.encode():
            check = (check ^ byte) * 1099511628211 % 2 ** 64
        with open(self.state_file(), "w") as out:
            out.write("weir flow_baseline %d %016x\n%s"
                      % (len(body), check, body))

    def test_fewer_series_than_the_file_has(self):
        agent = self.start()
        for i in range(20):
            self.put([10], plugin="feed-%d" % i)
        self.wait_saved(agent, '"19"')
        agent.stop()
        self.edit(agent, "SaveInterval 1", "SaveInterval 1\nMaxSeries 1")
        self.restart(agent)
        agent.wait_log("1 series remembered")
        agent.wait_log(r"more than 1 series \(MaxSeries\)")
        self.assertNotIn("damaged", agent.log())
        agent.stop()

    def test_no_set_point_any_more(self):
        option = 'Setpoint "feed-pump/flow-setpoint"'
        agent = self.start(option + "\n")
        self.put([10], type="flow-setpoint")
        self.learn(agent)
        agent.stop()
        self.edit(agent, option, "")
        self.restart(agent)
        agent.wait_log("there is no Setpoint any more")
        agent.stop()

    def test_an_alarm_that_another_nominal_ends(self):
        agent = self.start("Nominal 10\n")
        self.learn(agent)
        self.put(steady(9.6, 40))
        self.told(agent, "below its normal 10")
        self.through(agent)
        agent.stop()
        self.edit(agent, "Nominal 10", "Nominal 9.6")
        self.restart(agent)
        self.assertRegex(self.told(agent, "learning its normal flow"), "OKAY")
        agent.stop()

    def test_another_nominal_learns_anew(self):
        agent = self.start("Nominal 10\n")
        self.learn(agent)
        agent.stop()
        self.edit(agent, "Nominal 10", "Nominal 12")
        self.restart(agent)
        agent.wait_log("Nominal was changed, it learns its normal anew")
        self.learn(agent, 12.0)
        agent.stop()

    def edit(self, agent, old, new):
        with open(agent.config_path) as text:
            config = text.read()
        assert old in config
        with open(agent.config_path, "w") as text:
            text.write(config.replace(old, new))


if __name__ == "__main__":
    unittest.main()
