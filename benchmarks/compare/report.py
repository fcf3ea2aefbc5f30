"""The table and the plots of a comparison: on the terminal, in Markdown, as SVG."""
import html
import math

from .samples import PAGE_CACHE, SYNCED

# Arus by Kafka, at most: what this project holds itself to.
LIMITS = {
    (None, "produce 1 KB records in 1 MB batches: CPU"): 0.5,
    (None, "consume them: CPU"): 0.8,
    (PAGE_CACHE, "100-byte records in 4 KB batches, 64 partitions: CPU"): 0.4,
    (SYNCED, "100-byte records in 4 KB batches, 64 partitions: CPU"): 0.3,
    (PAGE_CACHE, "acknowledgement at 1,000 records/s: p99"): 0.8,
    (PAGE_CACHE, "acknowledgement at 10,000 records/s: p99"): 0.8,
    (PAGE_CACHE, "acknowledgement at 1,000 records/s: p99.9"): 0.5,
    (PAGE_CACHE, "acknowledgement at 10,000 records/s: p99.9"): 0.5,
    (SYNCED, "acknowledgement at 1,000 records/s: p50"): 0.7,
    (SYNCED, "acknowledgement at 1,000 records/s: p99"): 0.7,
    (SYNCED, "acknowledgement at 10,000 records/s: p50"): 0.7,
    (SYNCED, "acknowledgement at 10,000 records/s: p99"): 0.7,
    (SYNCED, "one record to each of 1,000 partitions, the first"): 0.2,
    (SYNCED, "one record to each of 1,000 partitions, again"): 0.2,
    (None, "start on a fresh directory"): 0.03,
    (None, "10,000 partitions: start after SIGKILL"): 0.03,
    (None, "memory, idle"): 0.1,
    (None, "memory after these loads"): 0.1,
}
TITLES = {PAGE_CACHE: "*page-cache*: neither flushes before it answers",
          SYNCED: "*synced*: both flush every record before they acknowledge it"}
MARK_BEGIN = "<!-- figures: written by ./dev bench compare --docs -->"
MARK_END = "<!-- end of the figures -->"


def limit_of(row):
    return LIMITS.get((row.durability, row.what), LIMITS.get((None, row.what)))


def figure(value):
    """Three significant digits."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def with_spread(row, side):
    if not row.figures.get(side):
        return ""
    low, high = row.spread(side)
    return f"{figure(row.median(side))} ({figure(low)}–{figure(high)})"


def verdict(row):
    limit, ratio = limit_of(row), row.ratio()
    if limit is None or ratio is None:
        return ""
    return f"{limit:g} " + ("met" if ratio <= limit else "missed")


def cells(row):
    ratio = row.ratio()
    return [row.what, row.unit, with_spread(row, "Arus"), with_spread(row, "Kafka"),
            figure(row.floor()), f"{ratio:.2f}" if ratio is not None else "", verdict(row)]


HEADS = ["what", "unit", "Arus", "Kafka", "bare loop", "Arus ÷ Kafka", "at most"]


def of_class(samples, durability):
    return [row for row in samples.rows.values() if row.durability == durability]


def terminal(samples):
    lines = ["", ", ".join(f"{value}" for value in samples.machine.values())]
    for durability in (PAGE_CACHE, SYNCED):
        rows = [cells(row) for row in of_class(samples, durability)]
        if not rows:
            continue
        widths = [max(len(line[i]) for line in [HEADS, *rows]) for i in range(len(HEADS))]
        lines += ["", durability]
        for line in [HEADS, *rows]:
            lines.append("  ".join(text.ljust(width) if i < 2 or i > 4 else text.rjust(width)
                                   for i, (text, width) in enumerate(zip(line, widths))).rstrip())
        lines += ["", *bars(of_class(samples, durability))]
    return "\n".join([*lines, *(f"FAILED {failure}" for failure in samples.failures)])


def bars(rows):
    """One line for each ratio: a scale of powers of two from 1/128 to 4, with Kafka at |."""
    lines = []
    for row in rows:
        ratio = gain(row)
        if ratio is None:
            continue
        place = round((min(max(math.log2(ratio), -7), 2) + 7) * 4)
        scale = ["·"] * 37
        scale[28] = "|"
        scale[place] = "●"
        lines.append(f"{row.what[:58]:58} {''.join(scale)} {ratio:.2f}")
    return lines


def gain(row):
    """What Arus costs by what Kafka costs; of a rate, what it takes for the same."""
    ratio = row.ratio()
    if not ratio:
        return None
    return 1 / ratio if row.rate else ratio


def markdown(samples):
    lines = ["The machine: " + ", ".join(samples.machine.values()) + ".", ""]
    for durability in (PAGE_CACHE, SYNCED):
        rows = of_class(samples, durability)
        if not rows:
            continue
        rounds = max(len(row.figures.get("Arus", [])) for row in rows
                     if not row.what.startswith("consume"))
        lines += [f"### {TITLES[durability]}", "",
                  f"Medians of {rounds} rounds, in brackets the least and the greatest.", "",
                  f"![What Arus costs by what Kafka costs](performance/{durability}.svg)", "",
                  f"![Latencies](performance/latency-{durability}.svg)", "",
                  "| " + " | ".join(HEADS) + " |", "|" + "---|" * len(HEADS)]
        lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
        lines += [""]
    lines += [f"**Failed:** {failure}\n" for failure in samples.failures]
    lines += ["### Where each figure is from", "",
              "`arus_load` is `build/release/benchmarks/arus_load`, to which `--server HOST:PORT` "
              "is added; the CPU is that of the server's process meanwhile.", ""]
    told = {}
    for row in samples.rows.values():
        if row.command:
            told.setdefault(row.command, row.what.rsplit(":", 1)[0])
    lines += [f"- {what}: `{command}`" for command, what in told.items()]
    return "\n".join(lines) + "\n"


# Plots.

INK, MUTED, GRID = "#1f2933", "#6b7785", "#dde3ea"
COLOURS = {"Arus": "#0b7285", "Kafka": "#c2621b"}


class Svg:
    def __init__(self, width, height):
        self.size = width, height
        self.parts = []

    def text(self, x, y, words, anchor="start", colour=INK, size=12):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
                          f'font-size="{size}">{html.escape(words)}</text>')

    def line(self, x1, y1, x2, y2, colour=GRID, width=1.0):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{colour}" stroke-width="{width}"/>')

    def dot(self, x, y, colour, radius=4.0):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def render(self):
        width, height = self.size
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'font-family="system-ui, sans-serif"><rect width="{width}" height="{height}" '
                f'fill="#ffffff"/>{"".join(self.parts)}</svg>\n')


class Scale:
    """A logarithmic axis: the powers of `base` from `low` to `high`, over pixels from `start`."""

    def __init__(self, base, low, high, start, length):
        self.base, self.low, self.high, self.start = base, low, high, start
        self.step = length / ((high - low) or 1)

    def at(self, value):
        power = math.log(value, self.base)
        return self.start + (min(max(power, self.low), self.high) - self.low) * self.step

    def draw(self, plot, bottom, name, caption):
        """Across the plot, from its head to `bottom`; `name` of a power stands above its line."""
        for power in range(self.low, self.high + 1):
            at = self.at(self.base**power)
            plot.line(at, 34, at, bottom)
            plot.text(at, 28, name(power), "middle", MUTED, 11)
        plot.text(self.start - 10, 28, caption, "end", MUTED, 11)


def ratio_plot(rows):
    """What Arus costs by what Kafka costs, on a scale of powers of two; each round's span behind."""
    rows = [row for row in rows if gain(row)]
    left, step, right = 360, 20, 60
    plot = Svg(900, 60 + step * len(rows))
    scale = Scale(2, -8, 2, left, 900 - left - right)
    bottom = 46 + step * len(rows)
    scale.draw(plot, bottom, lambda power: f"{2**power}" if power >= 0 else f"1/{2**-power}",
               "Arus ÷ Kafka, less is better")
    plot.line(scale.at(1), 34, scale.at(1), bottom, INK)
    for number, row in enumerate(rows):
        y = 48 + step * number
        plot.text(left - 10, y + 4, row.what + (" (inverse)" if row.rate else ""), "end", size=11)
        (a_low, a_high), (k_low, k_high) = row.spread("Arus"), row.spread("Kafka")
        ends = [(a_low, k_high), (a_high, k_low)]
        if row.rate:
            ends = [(k, a) for a, k in ends]
        if all(a > 0 and k > 0 for a, k in ends):
            plot.line(scale.at(ends[0][0] / ends[0][1]), y, scale.at(ends[1][0] / ends[1][1]), y,
                      "#9fc9d1", 4)
        plot.dot(scale.at(gain(row)), y, COLOURS["Arus"])
        plot.text(900 - right + 10, y + 4, f"{gain(row):.2f}", colour=MUTED, size=11)
    return plot.render()


def latency_plot(rows):
    """p50, p99 and p99.9 of each paced load, both sides, on a scale of powers of ten."""
    loads = {}
    for row in rows:
        what, _, percentile = row.what.rpartition(": ")
        if percentile in ("p50", "p99", "p99.9") and row.figures.get("Kafka"):
            loads.setdefault(what, {})[percentile] = row
    left, step, right = 320, 44, 30
    plot = Svg(900, 60 + step * len(loads))
    scale = Scale(10, -2, 3, left, 900 - left - right)
    scale.draw(plot, 46 + step * len(loads), lambda power: f"{10.0**power:g} ms",
               "p50, p99 and p99.9")
    for number, (what, found) in enumerate(loads.items()):
        top = 54 + step * number
        plot.text(left - 10, top + 14, what, "end", size=11)
        for offset, side in ((0, "Arus"), (18, "Kafka")):
            places = [scale.at(found[p].median(side)) for p in ("p50", "p99", "p99.9")
                      if p in found]
            plot.line(places[0], top + offset, places[-1], top + offset, COLOURS[side], 2)
            for place, radius in zip(places, (3, 4, 5)):
                plot.dot(place, top + offset, COLOURS[side], radius)
            if number == 0:
                plot.text(places[-1] + 10, top + offset + 4, side, colour=COLOURS[side], size=11)
    return plot.render()


def write_docs(samples, docs):
    pictures = docs / "performance"
    pictures.mkdir(exist_ok=True)
    for durability in (PAGE_CACHE, SYNCED):
        rows = of_class(samples, durability)
        if rows:
            (pictures / f"{durability}.svg").write_text(ratio_plot(rows))
            (pictures / f"latency-{durability}.svg").write_text(latency_plot(rows))
    page = docs / "performance.md"
    text = page.read_text()
    head, _, rest = text.partition(MARK_BEGIN)
    _, _, tail = rest.partition(MARK_END)
    page.write_text(f"{head}{MARK_BEGIN}\n\n{markdown(samples)}\n{MARK_END}{tail}")


def growth_plot(curves):
    """Each curve in a box of its own: every figure by its own first, over what grows."""
    wide, high, columns = 430, 240, 2
    plot = Svg(wide * columns, high * ((len(curves) + 1) // columns))
    for number, (name, points) in enumerate(curves.items()):
        left, top = wide * (number % columns) + 60, high * (number // columns) + 40
        width, height = wide - 90, high - 90
        sizes = [point["size"] for point in points]
        across = Scale(10, math.log10(sizes[0]), math.log10(sizes[-1]), left, width)
        upwards = Scale(2, -3, 5, top + height, -height)
        plot.text(left, top - 14, name, size=13)
        for ratio in (1 / 8, 1, 8, 32):
            y = upwards.at(ratio)
            plot.line(left, y, left + width, y, INK if ratio == 1 else GRID)
            plot.text(left - 8, y + 4, f"{ratio:g}×", "end", MUTED, 10)
        for size in sizes:
            plot.text(across.at(size), top + height + 16, f"{size:,}", "middle", MUTED, 10)
        kinds = [kind for kind in points[0] if kind != "size"]
        for kind, colour in zip(kinds, ("#0b7285", "#c2621b", "#5f3dc4", "#2b8a3e")):
            first = points[0][kind] or 1e-9
            line = [(across.at(point["size"]), upwards.at(max(point[kind], 1e-9) / first))
                    for point in points]
            for (x1, y1), (x2, y2) in zip(line, line[1:]):
                plot.line(x1, y1, x2, y2, colour, 2)
            for x, y in line:
                plot.dot(x, y, colour, 3)
            plot.text(left + 90 * kinds.index(kind), top + height + 34, f"● {kind}",
                      colour=colour, size=10)
    return plot.render()
