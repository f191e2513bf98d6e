"""Run shards through Prefect's task runner, and only those that no earlier run finished."""

from collections.abc import Sequence

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
        """Where the payloads of all shards lie, in order, measured now or by an earlier run."""
        with STAGES.stage(title, total=len(refs)) as advance:
            known = [None if self._fresh else self.store.find(ref) for ref in refs]
            self.reused += sum(stored is not None for stored in known)
            waiting = [
                stored or self._submit(f"{title}, {_texts(refs, place)}", ref)
                for place, (ref, stored) in enumerate(zip(refs, known, strict=True))
            ]
            finished = []
            try:
                for one in waiting:
                    STOPPING.check()
                    finished.append(one if isinstance(one, StoredShard) else self._collect(one))
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


def _texts(refs: Sequence[ShardRef], place: int) -> str:
    """Which texts of a step a shard is about, counted in the order of the step."""
    before = sum(len(ref.rows) for ref in refs[:place])
    here = len(refs[place].rows)
    return f"text {before + 1}" if here == 1 else f"texts {before + 1}-{before + here}"
