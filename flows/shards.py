"""Run shards through Prefect's task runner, except those that an earlier run finished."""

from collections.abc import Sequence
from itertools import accumulate

from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture

from flows.progress import LOG, STAGES
from flows.stopping import STOPPING
from tasks.checks.work import measure_shard
from tasks.errors import AuditError
from tasks.run.shards import ShardRef
from tasks.run.store import Store, StoredShard


class ShardRunner:
    """Runs shards; keeps count of what was computed and what an earlier run had finished."""

    def __init__(self, store: Store, *, fresh: bool = False) -> None:
        self.store = store
        self.computed = 0
        self.reused = 0
        self._fresh = fresh

    def run(self, title: str, refs: Sequence[ShardRef]) -> list[StoredShard]:
        """Locations of the payloads of all shards, in order, measured now or by an earlier run."""
        with STAGES.stage(title, total=len(refs)) as advance:
            known = [None if self._fresh else self.store.find(ref) for ref in refs]
            self.reused += sum(stored is not None for stored in known)
            waiting = [
                stored or self._submit(f"{title}{part}", ref)
                for ref, stored, part in zip(refs, known, parts(refs), strict=True)
            ]
            finished = []
            try:
                for shard in waiting:
                    STOPPING.check()
                    finished.append(
                        shard if isinstance(shard, StoredShard) else self._collect(shard)
                    )
                    advance()
            except (KeyboardInterrupt, TerminationSignal):
                STOPPING.note()
                LOG.warning("stopping after the shard in flight; Ctrl-C again stops at once")
                raise
        return finished

    def _submit(self, name: str, ref: ShardRef) -> PrefectFuture[str]:
        task = measure_shard.with_options(task_run_name=name.replace("{", "(").replace("}", ")"))
        return task.submit(ref.model_dump_json(), self.store.root)

    def _collect(self, future: PrefectFuture[str]) -> StoredShard:
        stored = StoredShard.model_validate_json(future.result())
        self.computed += 1
        if not self.store.intact(stored):
            raise AuditError(
                f"{self.store.root}/{stored.path}: written, but not there or not the same"
            )
        return stored


def parts(refs: Sequence[ShardRef]) -> list[str]:
    """Labels of the shards of a step: their texts, counted in its order, if they share none.

    Controls and levers come in one shard, whose rows are no texts to count.
    """
    rows = [row for ref in refs for row in ref.rows]
    if len(refs) == 1 and len(rows) < 2:
        return [""]
    if len({*rows}) < len(rows) or not all(ref.rows for ref in refs):
        return [f", part {place} of {len(refs)}" for place in range(1, len(refs) + 1)]
    ends = accumulate(len(ref.rows) for ref in refs)
    return [_texts(end - len(ref.rows) + 1, end) for ref, end in zip(refs, ends, strict=True)]


def _texts(first: int, last: int) -> str:
    return f", text {first}" if first == last else f", texts {first}-{last}"
