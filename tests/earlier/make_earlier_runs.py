"""How the runs in ``tests/earlier`` were made, with layerviz as it was before the refactoring.

    python make_earlier_runs.py LAYERVIZ OUT

LAYERVIZ is a checkout of commit ce01a6d ("A browser test holds the slider above the maps"), OUT
the folder to make. Everything happens in a temporary folder that is also the working directory,
with data and encoders beside it under relative names, so that no path of a machine gets into a
run. Outputs are made with one thread. The encoders have random weights; texts are rows of
``layerviz/samples/customer_messages.csv``.

Made anew, the runs are others: time, speed and process of the making are part of ``run.json``.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FIT = ("--precision", "fp32", "--max-length", "24", "--batch-size", "8")
FITS = {
    # One file; val is cut from it at random.
    "bert": (
        "--encoder tiny-bert --data messages.csv --val-fraction 0.25 --epochs 2 "
        "--learning-rate 0.005"
    ),
    # A file for each split, and val large enough for a verdict.
    "roberta": (
        "--encoder tiny-roberta --data for-training.csv --val for-choosing.csv "
        "--test for-the-end.csv --epochs 2 --class-weighting balanced --max-captured 56 "
        "--learning-rate 0.01"
    ),
    # A column that says which split a row belongs to; the weights of all snapshots.
    "distilbert": (
        "--encoder tiny-distilbert --data with-a-split.csv --epochs 1 --snapshots-per-epoch 2 "
        "--keep-weights --seed 3"
    ),
    # The data of `roberta`, so that there is something to compare it with.
    "rival": (
        "--encoder tiny-distilbert --data for-training.csv --val for-choosing.csv "
        "--test for-the-end.csv --epochs 1"
    ),
}
ENCODERS = {"bert": (12, 200), "roberta": (8, 290), "distilbert": (8, 200)}  # width, vocabulary
EXPORTS = {
    "pca.csv": "--projection pca --layers 2",
    "lda.csv": "--projection lda --layers 1 --pooling cls",
}
SLOW = {  # of `bert` alone: stored in its folder
    "tsne.csv": "--projection tsne --layers 1",
    "umap.csv": "--projection umap --layers 1",
}
MAPPED = "1,2"  # layers of which `bert` has such maps
FOLDER_OF = ("bert",)  # runs that are kept as folders, too

ENCODER = """
import csv, sys
import torch, transformers
from layerviz.encoders.scratch import draft_encoder
family, width, vocabulary = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open("messages.csv", encoding="utf-8", newline="") as file:
    texts = [row["text"] for row in csv.DictReader(file)]
tokenizer, config = draft_encoder(
    family, texts, layers=2, hidden_size=width, heads=2, vocab_size=vocabulary, max_length=24
)
tokenizer.model_max_length = 24
config.max_position_embeddings = 24 + (tokenizer.pad_token_id + 1 if family == "roberta" else 0)
transformers.set_seed(0)
model = transformers.AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
model.save_pretrained("tiny-" + family)
tokenizer.save_pretrained("tiny-" + family)
"""
EXTRAS = """
import sys
from pathlib import Path
from layerviz import exploring, runs, separability
run = runs.open_folder(Path(sys.argv[1]).resolve())
examples = runs.read_examples(run.path)
newest = run.snapshots[-1].index
found = separability.search(  # as jobs.Jobs.search_mix does
    runs.read_pooled(run.path, newest)["mean"],
    examples["label"].to_numpy(),
    examples["split"].to_numpy(),
    seed=run.config.seed,
)
runs.write_mix(run.path, newest, "mean", vars(found))
exploring.store_suspicious_labels(run)
"""
RECIPE = """
import sys
from pathlib import Path
from layerviz import runs
from layerviz.export import recipe
print(recipe(runs.open_folder(Path(sys.argv[1]).resolve())).command)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("layerviz", type=Path, help="checkout of the layerviz to make them with")
    parser.add_argument("out", type=Path, help="folder to make; must not be there")
    parsed = parser.parse_args()
    out = parsed.out.resolve()
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        maker = Maker(parsed.layerviz.resolve(), Path(work))
        write_data(maker.layerviz / "layerviz/samples/customer_messages.csv", maker.work)
        for family, sizes in ENCODERS.items():
            maker.python("-c", ENCODER, family, *map(str, sizes))
        made = {name: maker.made(name) for name in FITS}
        for name in FITS:
            maker.zip_and_tell(made[name], out / name, SLOW if name == "bert" else {})
        maker.compare([made["roberta"], made["rival"]], out)
        for name in FOLDER_OF:
            shutil.copytree(maker.work / "runs" / made[name], out / "runs" / made[name])


def write_data(sample: Path, folder: Path) -> None:
    """Write the files of `FITS`: rows of the sample that are short, evenly spaced."""
    with sample.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    few, more = balanced(rows, 15), balanced(rows, 31)
    parts = [("train", "train", "train", "val", "test")[at // 4 % 5] for at in range(60)]
    write(folder / "messages.csv", few)
    split = [row | {"split": part} for row, part in zip(few, parts, strict=True)]
    write(folder / "with-a-split.csv", split)
    write(folder / "for-training.csv", more[:60])
    write(folder / "for-choosing.csv", more[60:112])
    write(folder / "for-the-end.csv", more[112:])


def balanced(rows: list[dict[str, str]], n: int) -> list[dict[str, str]]:
    """Return n rows of each class, one class after the other in turn."""
    classes = []
    for label in sorted({row["label"] for row in rows}):
        mine = [row for row in rows if row["label"] == label and len(row["text"]) < 90]
        classes.append([mine[at * len(mine) // n] for at in range(n)])
    return [row for turn in zip(*classes, strict=True) for row in turn]


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


class Maker:
    """Runs layerviz in the working directory."""

    def __init__(self, layerviz: Path, work: Path) -> None:
        self.layerviz, self.work = layerviz, work
        self.environment = os.environ | {
            "PYTHONPATH": str(layerviz),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }

    def python(self, *words: str, status: int = 0) -> tuple[bytes, bytes]:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.work,
            env=self.environment,
            capture_output=True,
            check=False,
        )
        if done.returncode != status:
            raise SystemExit(done.stderr.decode())
        return done.stdout, done.stderr

    def command(self, *words: str, status: int = 0) -> tuple[bytes, bytes]:
        return self.python("-m", "layerviz", *words, "--runs", "runs", status=status)

    def made(self, name: str) -> str:
        """Make a run and return its id."""
        path, _ = self.command("fit", *FITS[name].split(), *FIT)
        run_id = Path(path.decode().strip()).name
        if name == "bert":
            for method in ("tsne", "umap"):
                drawn = f"--projection {method} --layers {MAPPED}".split()
                self.command("export", run_id, "--csv", "unused.csv", *drawn)
            self.python("-c", EXTRAS, f"runs/{run_id}")
        sys.stderr.write(f"{name}: {run_id}\n")
        return run_id

    def zip_and_tell(self, run_id: str, out: Path, more: dict[str, str]) -> None:
        """Zip a run and write what is said of it."""
        out.mkdir()
        self.command("export", run_id, "--run-zip", str(out / "run.zip"))
        self.command("export", run_id, "--measures", str(out / "measures.csv"))
        for name, options in {**EXPORTS, **more}.items():
            self.command("export", run_id, "--csv", str(out / name), *options.split())
        said = self.command("report", run_id)[0]  # ends with the path of a file in the run's folder
        (out / "report.txt").write_bytes(said.replace(bytes(self.work.resolve() / "runs"), b"RUNS"))
        (out / "report.json").write_bytes(self.command("report", run_id, "--json")[0])
        said = self.command("report", run_id, "--pooling", "cls", "--json")[0]
        (out / "report-cls.json").write_bytes(said)
        (out / "recipe.txt").write_bytes(self.python("-c", RECIPE, f"runs/{run_id}")[0])

    def compare(self, run_ids: list[str], out: Path) -> None:
        (out / "compare.txt").write_bytes(self.command("compare", *run_ids)[0])
        (out / "compare.json").write_bytes(self.command("compare", *run_ids, "--json")[0])
        said = self.command("compare", *run_ids, "--pooling", "cls", "--json")[0]
        (out / "compare-cls.json").write_bytes(said)


if __name__ == "__main__":
    main()
