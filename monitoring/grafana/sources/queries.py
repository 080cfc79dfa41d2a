"""What several dashboards share: the variables above a dashboard, and the usual forms of a query."""

from .panels import variable

AGENT_TYPES = variable("agent_type", "Agent type", "parley_agent_turns_total")
SOME = 'agent_type=~"$agent_type"'
TO_AGENT = ("Agent type ${__field.labels.agent_type}", "agent", "var-agent_type=${__field.labels.agent_type}")


def p(quantile, metric, labels, by):
    return f"histogram_quantile({quantile}, sum by ({by}, le) (rate({metric}_bucket{{{labels}}}[$__rate_interval])))"


def total(metric, by="", labels=""):
    selector = f"{{{labels}}}" if labels else ""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{selector}[$__rate_interval]))"
