from benchmarks.grid import run


def test_the_bench_measures_a_strip():
    found = run(2, queries=4, gallery=20)
    assert found.keys() == {"strip_ms", "ranking_ms", "first_ms", "new_block_ms"}
    assert min(found.values()) > 0
