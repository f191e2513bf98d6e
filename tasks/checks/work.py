"""The Prefect task of an audit: measure one shard and store its payload, on any worker."""

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.checks.gather import round_of
from tasks.run.shards import ShardRef
from tasks.run.store import Store


def _transient(_: object, __: object, state: State[str]) -> bool:
    """Retry only what another attempt can mend: the file system, not a wrong input."""
    try:
        state.result()
    except OSError:
        return True
    except Exception:
        return False
    return False


@task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=0.5,
    retry_condition_fn=_transient,
)
def measure_shard(ref: str, root: str) -> str:
    """Measure one shard and store its payload; returns the `StoredShard` as JSON.

    Args:
        ref: a `ShardRef` as JSON.
        root: folder or address of the store.
    """
    shard = ShardRef.model_validate_json(ref)
    return round_of(shard).run(shard, Store(root)).model_dump_json()
