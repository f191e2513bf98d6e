"""Run shards through Prefect's task runner and find again what an earlier run finished."""

from collections.abc import Sequence
from pathlib import Path

from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture

from flows.progress import LOG, STAGES
from flows.stopping import STOPPING
from tasks.checks.work import measure_shard
from tasks.errors import AuditError
from tasks.run.shards import ShardRef, StoredShard, intact


class ShardRunner:
    """Runs shards; keeps count of what was computed and what was found again."""

    def __init__(self, store: Path, *, fresh: bool = False) -> None:
        self.store = store.resolve()
        self.computed = 0
        self.reused = 0
        self._fresh = fresh
        # whoever can write here can make Prefect run code: nobody else may
        self.store.mkdir(parents=True, exist_ok=True, mode=0o700)

    def run(self, title: str, refs: Sequence[ShardRef]) -> list[StoredShard]:
        """Payloads of all shards, in order, measured now or found from an earlier run."""
        with STAGES.stage(title, total=len(refs)) as advance:
            futures = [self._submit(ref, refresh=self._fresh) for ref in refs]
            stored = []
            try:
                for ref, future in zip(refs, futures, strict=True):
                    STOPPING.check()
                    stored.append(self._collect(ref, future))
                    advance()
            except (KeyboardInterrupt, TerminationSignal):
                STOPPING.note()
                LOG.warning("stopping after the shard in flight; Ctrl-C again stops at once")
                raise
        return stored

    def _submit(self, ref: ShardRef, *, refresh: bool) -> PrefectFuture[dict[str, str]]:
        task = measure_shard.with_options(
            result_storage=self.store / "results", refresh_cache=refresh
        )
        return task.submit(ref.model_dump(mode="json"), str(self.store))

    def _collect(self, ref: ShardRef, future: PrefectFuture[dict[str, str]]) -> StoredShard:
        shard = StoredShard.model_validate(future.result())
        if future.state.name == "Cached":
            if intact(self.store, shard):
                self.reused += 1
                return shard
            again = self._submit(ref, refresh=True)
            shard = StoredShard.model_validate(again.result())
        self.computed += 1
        if not intact(self.store, shard):
            raise AuditError(f"{self.store / shard.path}: written, but not there or not the same")
        return shard
