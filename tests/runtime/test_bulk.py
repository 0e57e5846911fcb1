import gc

from pyovn.runtime.bulk import uncollected


def test_no_garbage_is_collected_inside() -> None:
    with uncollected(keep=False):
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_is_kept_is_never_looked_at_again() -> None:
    before = gc.get_freeze_count()
    try:
        with uncollected():
            kept = [[] for _ in range(1000)]
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()
