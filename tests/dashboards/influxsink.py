"""InfluxDB's v2 write API for the tests: what a client may send, checked.

InfluxDB 2 and 3 both take line protocol at /api/v2/write; neither is in
Debian. A wrong token, an unknown bucket or a line that is none is refused as
there, and remembered in `errors`."""

import gzip
import re
import urllib.parse

import stack

KEY = r'(?:[^\\,= "]|\\[,= ])+'
NUMBER = r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
VALUE = r'(?:%s[iu]?|[tTfF]|true|false|"(?:[^"\\]|\\.)*")' % NUMBER
LINE = re.compile(r"(?P<name>(?:[^\\, ]|\\[, ])+)(?P<tags>(?:,%s=%s)*)"
                  r" (?P<fields>%s=%s(?:,%s=%s)*) (?P<time>-?\d+)"
                  % (KEY, KEY, KEY, VALUE, KEY, VALUE))
UNITS = {"ns": 10**9, "us": 10**6, "ms": 10**3, "s": 1}


def plain(text):
    return re.sub(r"\\([,= ])", r"\1", text)


def parse(line, unit):
    """(measurement, tags, fields, seconds) of one line, or ValueError."""
    found = LINE.fullmatch(line)
    if not found:
        raise ValueError("not line protocol: " + line)
    tags = {plain(k): plain(v) for k, v in re.findall(
        "(%s)=(%s)" % (KEY, KEY), found["tags"])}
    fields = {}
    for key, value in re.findall("(%s)=(%s)" % (KEY, VALUE),
                                 found["fields"]):
        fields[plain(key)] = (value[1:-1] if value[0] == '"' else
                              float(value.rstrip("iu"))
                              if re.match(NUMBER, value) else value)
    return (plain(found["name"]), tags, fields,
            int(found["time"]) / UNITS[unit])


class Sink(stack.Web):
    """org and bucket weir, token secret. away: answers 503."""

    def __init__(self):
        self.points, self.errors, self.away = [], [], False
        super().__init__()

    def answer(self, path, headers, body):
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if self.away:
            return 503, b'{"code":"unavailable"}'
        if headers["Authorization"] != "Token secret":
            return self.refuse(401, "unauthorized")
        if (url.path, query.get("org"), query.get("bucket")) != (
                "/api/v2/write", "weir", "weir"):
            return self.refuse(404, "no such bucket: " + path)
        if headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        try:
            self.points += [parse(x, query.get("precision", "ns"))
                            for x in body.decode().splitlines()]
        except (ValueError, KeyError) as error:
            return self.refuse(400, str(error))
        return 204, b""

    def refuse(self, status, text):
        self.errors.append(text)
        return status, text.encode()

    def find(self, name, **tags):
        """Points of this measurement with these tags, as they came."""
        return [p for p in list(self.points) if p[0] == name and
                all(p[1].get(k) == v for k, v in tags.items())]
