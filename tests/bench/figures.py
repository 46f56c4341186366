#!/usr/bin/python3
"""Holds the figures of README and the man pages together with what was
measured.

  figures.py write    README's table of cost, anew from RESULTS.md
  figures.py check    is it that? And does every figure of README's section on
                      the model stand in what `make evaluate` wrote, each row
                      of its table in the rows of that name, and does no man
                      page and no other part of README claim a cost?

README's table stands between two comments; nobody writes it by hand."""

import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BEGIN, END = "<!-- of RESULTS.md -->\n", "<!-- end -->\n"
# What a page would say of its cost: a figure with such a unit. A limit of ours
# is in MiB or seconds, or it is an option.
COST = re.compile(r"\b\d[\d.]*\s*(?:[kKMG]B|(?:mega|kilo|giga)bytes?|"
                  r"[\u00b5\u03bcumn]s|(?:micro|milli)seconds?|"
                  r"(?:%|percent)\s+of\s+(?:the |a |one )?(?:CPU|core|memory))"
                  r"(?!\w)", re.I)
# Whose rows of evaluation.md README's table repeats.
EVALUATED = {
    "the bundled model": "Weir, int8",
    "a tuned rule (level and deviation)": "tuned rule",
    "the application note's features and network, with `Context`":
        "the note's features and network",
}


class Broken(Exception):
    pass


def read(*path):
    with open(os.path.join(ROOT, *path)) as text:
        return text.read()


def piece(results, name):
    found = re.search(r"(?ms)^## %s$(.*?)(?=^## |\Z)" % re.escape(name),
                      results)
    if not found:
        raise Broken("RESULTS.md has no section %s: run make bench" % name)
    return found.group(1)


def value(text, name, optional=False):
    """`12.3 MB` of a line `name 12.3 MB`; None: it may be missing, and is."""
    found = re.search(r"(?m)^%s +(\S+) ([^(\n]*[^( \n])" % re.escape(name),
                      text)
    if not found and optional:
        return None
    if not found:
        raise Broken("RESULTS.md has no figure %s" % name)
    return "%s %s" % found.groups()


def spread(text, name):
    """(p50, p99) of a line `name: p50 1.2  p99 3.4 ...`, or of `name: none`."""
    found = re.search(r"(?m)^%s: (?:p50 (\S+)  p99 (\S+) |none$)"
                      % re.escape(name), text)
    if not found:
        raise Broken("RESULTS.md has no figure %s" % name)
    return tuple(x or "none" for x in found.groups())


def rows(text, head):
    """The rows of the table whose first cell begins so."""
    lines = text.splitlines()
    at = [i for i, x in enumerate(lines) if x.startswith("| " + head)]
    if not at:
        raise Broken("RESULTS.md has no table %s" % head)
    found = []
    for line in lines[at[0] + 2:]:
        if not line.startswith("|"):
            break
        found.append([c.strip() for c in line.strip("|").split("|")])
    return found


def without_spread(cell):
    return re.sub(r" \([^)]* to [^)]*\)", "", cell)


def side_by_side(results):
    text = piece(results, "peers")
    outage = re.search(r"after (\d+) s without cloud", text).group(1)
    lines = ["| 1 Hz, one board (+ the runner it needs) | CPU, % of a core | "
             "private memory, MB | reading to label at the M4, p50 / p99, ms "
             "| after " + outage + " s without cloud: values with their own "
             "time | killed in an outage | one late reply of the M4 |",
             "|---|---|---|---|---|---|---|"]
    for row in rows(text, "1 Hz, one board"):
        row[1] = without_spread(row[1])
        row[2] = row[2].rpartition(" / ")[2]
        lines.append("| %s |" % " | ".join(row))
    return lines


def client_rows(publish):
    """Other clients; Arduino's where they could be had."""
    found = []
    for name, what in (
            ("bare_libcurl", "bare libcurl in C"),
            ("arduino_s_python_client", "Arduino's own Python client"),
            ("arduino_s_npm_client", "Arduino's own npm client")):
        paced, tight = (value(publish, "publish_cpu_" + name + x,
                              optional=name.startswith("arduino"))
                        for x in ("", "_in_a_tight_loop"))
        if paced and tight:
            found.append(("the same with %s; in a tight loop" % what,
                          "%s; %s" % (paced, tight)))
    return found


def notification_rows(results):
    last = rows(piece(results, "notifications"), "labels that change")[-1]
    return [("%s labels that change at once" % last[0],
             "%s notifications arrived, after %s ms (p50 / p99 / last), %s us "
             "of CPU each" % (last[1], last[2], last[3].partition(" ")[0]))]


def one_agent(results):
    agent, publish = piece(results, "agent"), piece(results, "cloud_publish")
    boards = rows(piece(results, "m4_agent"), "boards")[-1]
    spool = rows(piece(results, "cloud_spool"), "values that wait")[-1]
    label = spread(agent, "last sample of a window to its label")
    told = spread(agent, "last sample to the notification of a change")
    shown = spread(agent, "change of the label to its publish, shown as the "
                   "present")
    busy = tuple(
        spread(agent, "last sample of a window to its label, " + what)
        for what in ("a burner on each core", "busy to quiet"))
    disk = [value(agent, n + "_disk") for n in (
        "with_weir", "collectd_alone", "every_sample_sent",
        "every_sample_sent_free_plan")]
    disk_held = value(agent, "every_sample_sent_free_plan_store_after_5_disk")
    lines = [
        ("memory of the agent, RSS (private)", "%s (%s); collectd alone %s (%s)"
         % tuple(value(agent, n) for n in (
             "with_weir_rss", "with_weir_private", "collectd_alone_rss",
             "collectd_alone_private"))),
        ("last sample to its label, p50 / p99", "%s / %s ms" % label),
        ("the same with a program that burns CPU on each core", "%s / %s ms, "
         "%s / %s times the quiet ones" % (busy[0] + busy[1])),
        ("last sample to its notification, p50 / p99", "%s / %s ms" % told),
        ("a change of the label to its accepted publish, at one request in "
         "1.1 s, p50 / p99", "%s / %s ms" % shown),
        ("written to the disk while the cloud answers", "%s; collectd alone %s"
         % (disk[0], disk[1])),
        ("the same with every sample sent, at 10 requests a second; at 0.9",
         "%s; %s" % (disk[2], disk[3])),
        ("the same at 0.9 with StoreAfter 5", disk_held),
        ("CPU of a published value over TLS, ten a second", value(
            publish, "publish_cpu_weir"))]
    lines += client_rows(publish)
    lines += [
        ("the same with a new connection in Python for each, as in the note",
         value(publish, "publish_cpu_note_s_way")),
        ("%s boards on one agent" % boards[0],
         "%s %% of a core, RSS / private %s MB, calls late by %s ms (p50 / "
         "p99)" % (boards[1], boards[2], boards[5])),
        ("%s values that wait" % spool[0], "%s ms to the first one after a "
         "start, %s bytes each" % (spool[1], spool[2]))]
    for count in re.findall(r"(?m)^hub_(\d+)_cpu ", results)[-1:]:
        hub = [value(results, "hub_%s_%s" % (count, what)) for what in (
            "cpu", "model_cpu", "rss", "label_p50", "label_p99", "lost")]
        lines.append(("%s series of other boards, classified by one agent"
                      % count, "%s + %s (the model), RSS %s, label p50 / p99 "
                      "%s / %s, lost %s" % tuple(hub)))
    lines += notification_rows(results)
    return ["| One agent | |", "|---|---|"] + [
        "| %s | %s |" % x for x in lines if x and x[1]]


def machine(results):
    facts = dict(row[:2] for row in rows(results, "|"))
    return ("On %s; load %s when it began; %s." % (
        facts["machine"], facts["load when it began"], facts["date"]))


def block(results):
    return BEGIN + "\n".join(
        [machine(results), ""] + side_by_side(results) + [""] +
        one_agent(results)) + "\n" + END


def parts(readme):
    before, begin, rest = readme.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise Broken("README has no place for the table of cost")
    return before, begin + inside + end, after


def write():
    before, _, after = parts(read("README.md"))
    with open(os.path.join(ROOT, "README.md"), "w") as out:
        out.write(before + block(read("tests", "bench", "RESULTS.md")) + after)


# --- check ---

def numbers(text):
    """The figures of a text, without those of code and links."""
    text = re.sub(r"`[^`]*`", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"(?<=\d)[ \u2009](?=\d{3}\b)", "", text)
    # 12.7MB is one, too.
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?=[^\W\d_]{0,3}(?!\w|\.\d))",
                      text)


def section(readme, name):
    found = re.search(r"(?ms)^## %s$(.*?)(?=^## |\Z)" % re.escape(name),
                      readme)
    if not found:
        raise Broken("README has no section %s" % name)
    return found.group(1)


def check_cost(readme, results):
    """Faults, each one sentence."""
    _, inside, _ = parts(readme)
    faults = []
    if inside != block(results):
        faults.append("README's table of cost is not that of RESULTS.md: "
                      "tests/bench/figures.py write")
    rest = section(readme, "What it costs").replace(inside, "")
    faults += ["README says %s of what it costs, outside its table" % n
               for n in numbers(rest)]
    return faults


def check_model(readme, sources):
    known = set()
    for text in sources:
        known |= set(numbers(text))
    return ["README says %s of the model; `make evaluate` does not" % n
            for n in numbers(section(readme, "The model")) if n not in known]


def in_order(few, many):
    many = iter(many)
    return all(x in many for x in few)


def check_model_rows(readme, evaluation):
    """Each row of README's table, in what is said under that name."""
    faults = []
    for row in rows(section(readme, "The model"), "at the agent's defaults"):
        name = EVALUATED.get(row[0])
        said = re.findall(r"(?m)^\| %s \|(.*)" % re.escape(name or "-"),
                          evaluation)
        if not in_order(numbers(" | ".join(row[1:])), numbers(" ".join(said))):
            faults.append("README's row of %s is not what evaluation.md says "
                          "of it" % row[0])
    return faults


def check_page(name, text):
    return ["%s claims a cost that nothing measures: %s"
            % (name, " ".join(x.group().split())) for x in COST.finditer(text)]


def evaluations():
    """What `make evaluate` and its like wrote; {name: text}."""
    texts = {os.path.basename(p): read("model", os.path.basename(p))
             for p in glob.glob(os.path.join(ROOT, "model", "*.md"))}
    return {n: x for n, x in texts.items()
            if re.search(r"(?m)^Written by `make evaluate", x)}


def check():
    readme = read("README.md")
    faults = check_cost(readme, read("tests", "bench", "RESULTS.md"))
    written = evaluations()
    faults += check_model(readme, written.values())
    faults += check_model_rows(readme, written["evaluation.md"])
    faults += check_page("README", readme.replace(parts(readme)[1], ""))
    for path in sorted(glob.glob(os.path.join(ROOT, "plugins", "*", "*.pod")) +
                       glob.glob(os.path.join(ROOT, "agent-config", "*.pod"))):
        name = os.path.relpath(path, ROOT)
        faults += check_page(name, read(name))
    return faults


def main():
    if sys.argv[1:] == ["write"]:
        write()
        return 0
    faults = check()
    for fault in faults:
        print(fault, file=sys.stderr)
    return bool(faults)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Broken as fault:
        sys.exit("figures: %s" % fault)
