"""GET /models of a provider, in any of its shapes."""

import pytest

from fcc.wire.models import CatalogEntry, catalog_entries


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
        [{"id": "a"}, {"id": "b"}],
        {"models": [{"id": "a"}, {"id": "b"}]},
        {"data": [{"id": "a"}, {"id": ""}, {"id": None}, {"id": 5}, {}, None, "x", {"id": "b"}]},
    ],
)
def test_every_shape_of_a_list_is_read(answer: object) -> None:
    assert [entry.id for entry in catalog_entries(answer)] == ["a", "b"]


def test_ollamas_own_list_names_its_models_by_name() -> None:
    answer = {"models": [{"name": "qwen3:8b", "model": "qwen3:8b"}]}
    assert [entry.id for entry in catalog_entries(answer)] == ["qwen3:8b"]


def test_a_data_that_is_null_does_not_hide_the_models() -> None:
    answer = {"data": None, "models": [{"id": "a"}]}
    assert [entry.id for entry in catalog_entries(answer)] == ["a"]


@pytest.mark.parametrize("answer", [None, 5, "x", {}, {"data": "x"}, {"data": {"id": "a"}}, []])
def test_what_is_no_list_has_no_models(answer: object) -> None:
    assert list(catalog_entries(answer)) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"context_length": 4096},
        {"max_model_len": 4096},
        {"context_window": 4096},
        {"max_context_length": 4096},
        {"meta": {"n_ctx": 4096}},
        {"top_provider": {"context_length": 4096}},
        {"loaded_context_length": 4096, "max_context_length": 131_072},
        {"providers": [{"context_length": 8192}, {"context_length": 4096}, {"status": "x"}, 5]},
        {"context_length": None, "top_provider": {"context_length": 4096}},
        {"context_length": 0, "meta": {"n_ctx": 4096, "n_ctx_train": 1}},
        {"context_length": 4096, "top_provider": {"context_length": 1}},
    ],
)
def test_the_context_window_is_found_under_each_of_its_names(fields: dict) -> None:
    assert list(catalog_entries([{"id": "a", **fields}])) == [CatalogEntry("a", 4096)]


@pytest.mark.parametrize("value", [True, "4096", -1, 0, 4096.5, None, {}])
def test_a_window_that_is_no_count_is_none(value: object) -> None:
    entries = catalog_entries([{"id": "a", "context_length": value, "meta": 3}])
    assert list(entries) == [CatalogEntry("a", None)]
