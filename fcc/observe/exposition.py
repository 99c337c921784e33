"""The numbers in the words of Prometheus.

To import this costs a fifth of a second: only who is asked for the numbers does.
Formats: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Sequence

from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from fcc.observe.family import Distribution, Family
from fcc.overriding import override

__all__ = ["exposition"]


def exposition(families: Sequence[Family], accept: str) -> tuple[bytes, str]:
    """The text of the families, and of this process's own; and its content type.

    Reads /proc: for a thread that may wait.
    """
    registry = CollectorRegistry()
    registry.register(_Ours(families))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Ours(Collector):
    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    @override
    def collect(self) -> Iterable[Metric]:
        return map(_written, self._families)


def _written(family: Family) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for labels, value in family.values:
            assert isinstance(value, Distribution)
            histogram.add_metric(labels, _buckets(value), value.total)
        return histogram
    type_ = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = type_(family.name, family.help, labels=family.labels)
    for labels, value in family.values:
        assert not isinstance(value, Distribution)
        metric.add_metric(labels, value)
    return metric


def _buckets(value: Distribution) -> list[tuple[str, float]]:
    bounds = [*map(str, value.bounds), "+Inf"]
    return list(zip(bounds, map(float, value.counts), strict=True))
