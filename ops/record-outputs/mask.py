#!/usr/bin/env python3
"""The filter of record-outputs.sh: what depends on time, machine, path, process, commit or version becomes #.

mask.py mask RAW OUT WORK LUT VERSION DOCTOR   writes RAW's files to OUT, masked; DOCTOR: what `lut doctor --json` said
mask.py contents FOLDER                        prints hashes of its files that no time, machine or version changes"""
import base64
import csv
import hashlib
import io
import json
import re
import sys
from pathlib import Path

# Columns of tables, keys of JSON and first words of lines whose values are the time's, the machine's or the build's.
VOLATILE = frozenset(
    # identity and time
    "run_id started_utc ended_utc at_utc wall_ns t_ns step_ns data_ns estimate_s accepted by"
    # the build
    " code_id lut_version git_sha commit lut env_hash exec_hash"
    # the machine
    " os arch cpu cpu_model cpu_isa isa vectors cores units ram_bytes mem_bytes memory_bytes dotnet_runtime runtime"
    " gc_mode env_vars rid governor container load load1 load1_before load1_after hw_key machine rss_bytes clock_mhz"
    " clock_max_mhz power_w energy_j temp_c slowdown gpu gpu_note".split()
)
# Files about a run of fixed bytes, which was made once elsewhere: nothing in them is volatile.
FIXED = re.compile(r"show-1\.1\.|files/exports/old/")
# What is volatile in some files only, by the beginning of their names: elsewhere these words have results.
ALSO_VOLATILE = {
    "env.": {"version", "sha256"},
    "checkpoints.": {"sha256"},
    "doctor": {"memory"},
    "report": {"bytes"},
}
# A plan's memory is a result; doctor's is the machine's.
RESULTS = {"plan": {"memory_bytes"}}
# Files of measurements: every number is masked, but for the lines of text or JSON that begin with the words of SAID.
MEASURED = ("bench-", "data-bench", "nightly-perf", "baseline-list.", "baseline-accept.")
SAID = re.compile(
    r'\s*"?(shape|work|stage|method|batch|grain|threads|flops_per_image|planned_bytes|check_digest'
    r'|level|key|kind|images)("|  )'
)
# And in these how it ended: whether the machine was busy decides.
UNSTEADY = ("bench-against", "nightly-perf")
VERDICT = re.compile(
    r"\b(FASTER|SAME|SLOWER|UNDECIDED|UNSTABLE|UNFIT|NO-BASELINE|CLEAN|green|grey|yellow|red)\b(?!=)"
)

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
VERSION = re.compile(r"\b\d+\.\d+\.\d+(\+|\\u002B)[0-9a-f]{40}\b")
RULES = [
    # a run's folder: PROTOCOL_sSEED_ and the last digits of its id
    (re.compile(r"(_s-?\d+_)[0-9a-f]{8}\b"), r"\1########"),
    (UUID, "########-####-####-####-############"),
    # moments; a night's folder
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?"), "####-##-## ##:##"),
    (re.compile(r"\b20\d{6}-\d{6}\b"), "########-######"),
    # speeds and times in prose and progress
    (re.compile(r"\b[\d.]+ (images/s|img/s)"), r"# \1"),
    (re.compile(r"(img_per_s|eta_s)=\d+"), r"\1=#"),
    (re.compile(r"\b[\d.,]+ (ms|s|minutes) (on|left|ago|so far)\b"), r"# \1 \2"),
    (re.compile(r"^(time estimate +).*", re.M), r"\1#"),
    (re.compile(r"(telemetry\.(?:csv|jsonl): |telemetry\.(?:csv|jsonl)\",\n *\"rows\": )\d+"), r"\1#"),
    # files that are being written
    (re.compile(r"(/\.\S+\.)[0-9a-f]{16}\.tmp\b"), r"\1################.tmp"),
    (re.compile(r"(/\.night-)[0-9a-f]{32}\b"), r"\1" + 32 * "#"),
    # the libraries of this system; a baseline that was accepted on a busy machine; who accepted it
    (re.compile(r"^/\S+ +[0-9a-f]{64}\n", re.M), ""),
    (re.compile(r'("libraries": \[)[^\]]+\]'), r"\1#]"),
    (re.compile(r" \(forced: .*?\)(?=[\"\n])"), ""),
    (re.compile(r"(####-##-## +)\w+(  )"), r"\1#\2"),
    (re.compile(r", [\d,]+ KiB$", re.M), ", # KiB"),
]
NUMBER = re.compile(r"(?<![\w#@])-?\d+(,\d{3})*(\.\d+)?([eE][+-]?\d+)?(?!\w)")
DIGEST = re.compile(r"\b[0-9a-f]{32}\b(?! after three steps)")


class Mask:
    def __init__(self, work, lut, version, doctor):
        facts = json.loads(Path(doctor).read_text())
        # the longest first: a commit before its beginning
        self.literal = [(f"{work}/here", "HERE"), (work, "WORK"), (str(Path(lut).parent), "LUT")]
        commit = version.partition("+")[2].strip()
        self.literal += [(version, "VERSION"), (version.replace("+", "\\u002B"), "VERSION")]
        self.literal += [(commit[:n], "COMMIT") for n in (40, 12, 10, 8, 7) if len(commit) >= 7]
        for key in ("hw_key", "os", "runtime", "cpu"):
            if facts.get(key):
                self.literal.append((facts[key], key.upper()))
        self.device = facts.get("device") or "cpu-512"
        self.isa = facts.get("isa") or "avx512"

    def text(self, name, text):
        for known, word in self.literal:
            text = text.replace(known, word)
        if not re.match(r"(help-|error-|schema-|SCHEMA)", name):
            text = re.sub(rf"\b{self.device}\b", "cpu-#", text)
            text = re.sub(rf"\bCPU, {self.isa}\b", "CPU, #", text)
        for rule, word in RULES:
            text = rule.sub(word, text)
        return text

    @staticmethod
    def volatile(name):
        """The words whose values are masked in this file."""
        words = set(VOLATILE)
        for beginning, more in ALSO_VOLATILE.items():
            words |= more if name.startswith(beginning) else set()
        for beginning, results in RESULTS.items():
            words -= results if name.startswith(beginning) else set()
        return words

    def lines(self, name, text):
        """Values of keys in JSON and of first words in text."""
        hidden = self.volatile(name)
        text = re.sub(
            r'"(\w+)":( ?)("(?:[^"\\\n]|\\.)*"|-?\d[\d.eE+-]*|null|true|false)',
            lambda m: f'"{m[1]}":{m[2]}' + ('"#"' if m[3][0] == '"' else "#") if m[1] in hidden else m[0],
            text,
        )
        if not name.endswith(".text") or name.startswith(("schema", "help")):
            return text
        return re.sub(r"(?m)^(\w+)( {2,})\S.*", lambda m: f"{m[1]}{m[2]}#" if m[1] in hidden else m[0], text)

    def measured(self, name, text):
        if name.startswith(UNSTEADY):
            text = re.sub(r"(?m)^note: .*\n", "", text)
            text = re.sub(r'"notes": \[[^\]]*\]', '"notes": []', text)
            text = re.sub(r'"reason": "[^"]*"', '"reason": "#"', text)
            text = re.sub(r"(?m)^(perf +hello)\b.*", r"\1 #", text)
            text = VERDICT.sub("#", text)
        elif name.endswith(".exit"):
            return text
        lines = []
        for line in text.split("\n"):
            if not SAID.match(line):
                # the padding goes with the numbers' widths
                line = re.sub(r"(?<=\S)  +", "  ", NUMBER.sub("#", DIGEST.sub("#", line)))
            lines.append(line)
        return "\n".join(lines)

    def table(self, name, text):
        """CSV: columns."""
        rows = list(csv.reader(io.StringIO(text)))
        hidden = [i for i, c in enumerate(rows[0]) if c in self.volatile(name)]
        for row in rows[1:]:
            for i in hidden:
                row[i] = "#"
        to = io.StringIO()
        csv.writer(to, lineterminator="\n").writerows(rows)
        return to.getvalue()

    def html(self, text):
        facts = re.compile(r"<dt>(wall|started_utc|lut_version|machine|device)</dt><dd>[^<]*</dd>")
        text = facts.sub(r"<dt>\1</dt><dd>#</dd>", text)
        text = re.sub(r">\d\d-\d\d \d\d:\d\d<", ">##-## ##:##<", text)
        # the table that a page offers, as a text
        def offered(match):
            name, said = "nights.csv", base64.b64decode(match[1]).decode()
            return "data:text/csv\n" + self.table(name, self.text(name, said))

        text = re.sub(r"data:text/csv;base64,([\w+/=]+)", offered, text)
        # a line for each element: differences can be read
        return re.sub(r"(</\w+>)(?=<)", r"\1\n", text)

    def file(self, path, place):
        """path: what was recorded; place: its path in the recording."""
        name, data = path.name, path.read_bytes()
        if FIXED.match(place):
            return data
        if path.suffix == ".png":
            return hashlib.sha256(data).hexdigest().encode() + b"\n"
        text = self.text(name, data.decode("utf-8", "surrogateescape"))
        kind = path.suffix
        if kind == ".csv":
            text = self.table(name, text)
        elif kind == ".html":
            text = self.html(text)
        else:
            text = self.lines(name, text)
        if name.startswith("telemetry."):
            # how many rows there are is the time's
            text = "".join(dict.fromkeys(text.splitlines(keepends=True)))
        if name.startswith(MEASURED):
            text = self.measured(name, text)
        return text.encode("utf-8", "surrogateescape")


def contents(folder):
    """Its files: of tables the hash of exact columns, of weights the bytes without run, version and padding."""
    root = Path(folder)
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        name, data = path.relative_to(root), path.read_bytes()
        if path.suffix == ".parquet":
            seal = re.search(rb"lut\.content_sha256.{1,3}?([0-9a-f]{64})", data, re.S)
            print(name, seal[1].decode() if seal else "unsealed")
        elif path.suffix == ".safetensors":
            header = 8 + int.from_bytes(data[:8], "little")
            said = VERSION.sub("#", UUID.sub("#", data[8:header].decode())).rstrip()
            print(name, hashlib.sha256(said.encode() + data[header:]).hexdigest())
        elif name.name in ("MANIFEST.sha256", "COMPLETE") or path.suffix == ".sha256":
            print(name)
        else:
            print(name, hashlib.sha256(data).hexdigest())


def main():
    if sys.argv[1:2] == ["contents"]:
        contents(sys.argv[2])
        return
    raw, out = Path(sys.argv[2]), Path(sys.argv[3])
    mask = Mask(*sys.argv[4:8])
    for path in sorted(p for p in raw.rglob("*") if p.is_file()):
        place = path.relative_to(raw)
        to = out / place
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(mask.file(path, place.as_posix()))


main()
