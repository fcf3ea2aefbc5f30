"""What was measured: for each row the figures of each side, round by round."""
import dataclasses
import json
import statistics

PAGE_CACHE = "page-cache"
SYNCED = "synced"


@dataclasses.dataclass
class Row:
    """One line of the table. Lower is better unless it is a rate."""
    durability: str
    what: str
    unit: str
    command: str
    rate: bool = False
    figures: dict = dataclasses.field(default_factory=dict)  # side: [figure of each round]

    def median(self, side):
        values = self.figures.get(side)
        return statistics.median(values) if values else None

    def spread(self, side):
        values = self.figures.get(side) or [0]
        return min(values), max(values)

    def ratio(self):
        """Arus by Kafka, of the medians."""
        arus, kafka = self.median("Arus"), self.median("Kafka")
        return arus / kafka if arus is not None and kafka else None

    def floor(self):
        """Of a bare loop; what else the machine does only ever adds to it."""
        values = self.figures.get("floor")
        return min(values) if values else None


class Samples:
    def __init__(self):
        self.rows = {}
        self.machine = {}
        self.failures = []

    def add(self, side, durability, what, unit, value, command, rate=False):
        row = self.rows.setdefault((durability, what),
                                   Row(durability, what, unit, command, rate))
        row.figures.setdefault(side, []).append(value)

    def save(self, path):
        path.write_text(json.dumps({"machine": self.machine, "failures": self.failures,
                                    "rows": [dataclasses.asdict(row)
                                             for row in self.rows.values()]}, indent=1))

    def join(self, other):
        """Takes the figures of another run as further rounds."""
        self.failures += other.failures
        for key, row in other.rows.items():
            mine = self.rows.setdefault(key, dataclasses.replace(row, figures={}))
            for side, values in row.figures.items():
                mine.figures.setdefault(side, []).extend(values)

    @classmethod
    def load(cls, path):
        samples = cls()
        told = json.loads(path.read_text())
        samples.machine = told["machine"]
        samples.failures = told["failures"]
        for fields in told["rows"]:
            samples.rows[(fields["durability"], fields["what"])] = Row(**fields)
        return samples
