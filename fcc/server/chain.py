"""A request and the providers that may answer it, one after the other, before content is out."""

from collections.abc import Callable, Sequence

from loguru import logger

from fcc.errors import LocalProtocolError, PromptTooLongError, UpstreamError
from fcc.server.exchange import Sink
from fcc.server.plan import Plan
from fcc.server.record import Record
from fcc.server.shaped import answer
from fcc.server.sticky import Sticky
from fcc.server.windows import told
from fcc.settings.routing import Route

__all__ = ["Chain"]


class Chain:
    """`run(sink)` asks the routes in turn; the last one's failure is what the client is told."""

    def __init__(
        self,
        routes: Sequence[Route],
        plan: Callable[[Route], Plan],
        record: Record,
        sticky: Sticky,
        session: str,
    ) -> None:
        # A request that goes elsewhere for its length or an image begins where its own kind did.
        self._kind = f"{routes[0].asked} {routes[0].target}"
        begin = sticky.first(session, self._kind) % len(routes)
        self._routes = [*routes[begin:], *routes[:begin]]
        self._begin = begin
        self._plan = plan
        self._record = record
        self._sticky = sticky
        self._session = session
        self.first = self._first_planned()
        """The first plan: what it can't be made of is an error before anything is asked."""

    async def run(self, sink: Sink) -> None:
        """Raises UpstreamError; what went out by then stays out."""
        before: UpstreamError | None = None
        for place, route in enumerate(self._routes):
            if place < self._skipped:
                continue
            self._record.route = route
            logger.debug("{} is asked: {}", route.target, route.why)
            try:
                plan = self.first if place == self._skipped else self._planned(place)
                further = place < len(self._routes) - 1
                resting = plan.lane.resting(plan.source.model) if further else None
                if resting is not None:
                    raise resting
                await self._answer(plan, sink)
            except UpstreamError as error:
                last = place == len(self._routes) - 1
                too_long = isinstance(error, PromptTooLongError)
                if too_long and before is not None and not sink.content:
                    # The client would compact to the window of a stopgap.
                    raise before from None
                if last or sink.content or too_long:
                    raise
                self._fell_back(route, error)
                before = error
            else:
                chosen = (self._begin + place) % len(self._routes)
                self._sticky.remember(self._session, self._kind, chosen)
                return

    async def _answer(self, plan: Plan, sink: Sink) -> None:
        try:
            await answer(plan, self._record, sink)
        except PromptTooLongError as error:
            raise await told(error, plan) from None

    def _first_planned(self) -> Plan:
        """The plan of the first route that has one: a provider without its key has none."""
        self._skipped = 0
        while True:
            try:
                return self._planned(self._skipped)
            except UpstreamError as error:
                if self._skipped == len(self._routes) - 1:
                    raise
                self._fell_back(self._routes[self._skipped], error)
                self._skipped += 1

    def _planned(self, place: int) -> Plan:
        plan = self._plan(self._routes[place])
        if place == len(self._routes) - 1:
            # The request's texts live in it, and no further route needs them.
            self._plan = _no_more_plans
        return plan

    def _fell_back(self, route: Route, error: UpstreamError) -> None:
        self._record.fallbacks.append(f"{route.target} {error.status} {error.error_type}")
        logger.warning("{} failed, the next of the fallback is asked: {}", route.target, error)


def _no_more_plans(route: Route) -> Plan:
    raise LocalProtocolError(f"a second plan for the last route, {route.profile.name}")
