#!/usr/bin/env python3
"""Writes dashboards/*.json from the tables below; --check only compares. The JSON is what Grafana's file provider and the
Kubernetes ConfigMaps take, so that nobody needs this script to use it.

A panel is one line: what it shows, in which unit, where it turns yellow and red, and one sentence for whoever looks."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
TITLES = {"fleet": "Parley: fleet", "broker": "Parley: broker", "agent": "Parley: one agent", "spend": "Parley: spend"}
UIDS = {name: f"parley-{name}" for name in TITLES}


@dataclass
class Panel:
    title: str
    unit: str
    queries: list  # (expression, legend)
    description: str
    kind: str = "timeseries"
    width: int = 8
    height: int = 7
    yellow: float | None = None
    red: float | None = None
    is_stacked: bool = False
    mappings: list = field(default_factory=list)
    link: tuple | None = None  # (title, dashboard, query string)


@dataclass
class Row:
    title: str
    panels: list


def steps(panel, good="green"):
    found = [{"color": good, "value": None}]
    for color, value in (("yellow", panel.yellow), ("red", panel.red)):
        if value is not None:
            found.append({"color": color, "value": value})
    return {"mode": "absolute", "steps": found}


def links_of(panel):
    if panel.link is None:
        return []
    title, dashboard, query = panel.link
    return [{"title": title, "url": f"/d/{UIDS[dashboard]}?{query}&${{datasource:queryparam}}&${{__url_time_range}}",
             "targetBlank": False}]


def field_config(panel):
    defaults = {"unit": panel.unit, "thresholds": steps(panel), "mappings": panel.mappings, "links": links_of(panel)}
    if panel.kind == "timeseries":
        has_threshold = panel.yellow is not None or panel.red is not None
        defaults["custom"] = {
            "drawStyle": "line", "lineWidth": 1, "fillOpacity": 25 if panel.is_stacked else 8, "showPoints": "never",
            "spanNulls": False, "stacking": {"mode": "normal" if panel.is_stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if has_threshold else "off"}}
        defaults["color"] = {"mode": "palette-classic"}
        defaults["min"] = 0
    else:
        defaults["color"] = {"mode": "thresholds"}
    return {"defaults": defaults, "overrides": []}


def options_of(panel):
    reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if panel.kind == "timeseries":
        return {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"}}
    if panel.kind == "stat":
        return {"reduceOptions": reduce, "colorMode": "background", "graphMode": "area", "textMode": "auto",
                "justifyMode": "auto", "orientation": "auto"}
    if panel.kind == "bargauge":
        return {"reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True}
    return {"showHeader": True, "cellHeight": "sm"}


def panel_json(panel, number, x, y):
    is_instant = panel.kind in ("bargauge", "table")
    targets = [{"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": expression, "legendFormat": legend,
                "instant": is_instant, "range": not is_instant, "format": "table" if panel.kind == "table" else "time_series"}
               for i, (expression, legend) in enumerate(panel.queries)]
    found = {"id": number, "type": panel.kind, "title": panel.title, "description": panel.description,
             "datasource": DATASOURCE, "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
             "fieldConfig": field_config(panel), "options": options_of(panel), "targets": targets}
    if panel.kind == "table":
        found["transformations"] = [
            {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True, "__name__": True, "job": True}}}]
    return found


def layout(rows):
    """Panels fill each row from left to right and wrap."""
    found, y = [], 0
    for row in rows:
        found.append({"id": len(found) + 1, "type": "row", "title": row.title, "collapsed": False, "panels": [],
                      "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y, x, tallest = y + 1, 0, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, tallest = 0, y + tallest, 0
            found.append(panel_json(panel, len(found) + 1, x, y))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
    return found


DATASOURCE_VARIABLE = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
                       "refresh": 1, "hide": 0, "current": {}, "options": [], "multi": False, "includeAll": False}


def variable(name, label, metric, is_multi=True):
    found = {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "refresh": 2, "sort": 1, "hide": 0,
             "query": {"query": f"label_values({metric}, {name})", "refId": "values"},
             "definition": f"label_values({metric}, {name})", "current": {}, "options": [], "regex": "",
             "multi": is_multi, "includeAll": is_multi}
    if is_multi:
        found["allValue"] = ".*"
    return found


AGENT_TYPES = variable("agent_type", "Agent type", "parley_agent_turns_total")
BUS_TYPES = variable("agent_type", "Agent type", "parley_broker_type_requests_total")
MODELS = variable("model", "Model", "parley_model_requests_total")


def dashboard(name, description, variables, rows):
    others = [{"type": "link", "title": TITLES[other], "url": f"/d/{UIDS[other]}", "icon": "dashboard", "tooltip": "",
               "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False, "tags": []}
              for other in TITLES if other != name]
    return {"id": None, "uid": UIDS[name], "title": TITLES[name], "description": description, "tags": ["parley"],
            "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1, "timezone": "",
            "time": {"from": "now-1h", "to": "now"}, "refresh": "10s", "fiscalYearStartMonth": 0, "liveNow": False,
            "templating": {"list": [DATASOURCE_VARIABLE, *variables]}, "annotations": {"list": [RESTARTS]},
            "links": others, "panels": layout(rows)}


# Restarts are drawn into every graph: they explain most of what looks strange.
RESTARTS = {"name": "Restarts", "datasource": DATASOURCE, "enable": True, "iconColor": "orange", "titleFormat": "Restart",
            "textFormat": "{{process}}",
            "expr": "sum by (process) (increase(parley_supervisor_restarts_total[$__rate_interval])) > 0"}

UP = [{"type": "value", "options": {"0": {"text": "down", "color": "red"}, "1": {"text": "up", "color": "green"}}}]
YES = [{"type": "value", "options": {"0": {"text": "no", "color": "green"}, "1": {"text": "yes", "color": "red"}}}]
TO_AGENT = ("Agent type ${__field.labels.agent_type}", "agent", "var-agent_type=${__field.labels.agent_type}")
ONE = 'agent_type="$agent_type"'
SOME = 'agent_type=~"$agent_type"'
GEN_AI = 'gen_ai_agent_name="$agent_type"'


def p(quantile, metric, labels, by):
    return f"histogram_quantile({quantile}, sum by ({by}, le) (rate({metric}_bucket{{{labels}}}[$__rate_interval])))"


def total(metric, by="", labels=""):
    selector = f"{{{labels}}}" if labels else ""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{selector}[$__rate_interval]))"


FLEET = dashboard("fleet", "Is everything there, is it well, is it quick? Start here.", [AGENT_TYPES], [
    Row("Now", [
        Panel("Processes down", "none",
              [('count(up{job="parley"} == 0 or max by (process) (parley_supervisor_process_up) == 0) or vector(0)', "down")],
              "Targets whose page Prometheus cannot read, and processes that their supervisor misses.", "stat", 4, 4, red=1),
        Panel("Workers connected", "none", [("sum(parley_worker_connected)", "connected")],
              "Worker processes with a session at the broker.", "stat", 4, 4),
        Panel("Unhealthy agent types", "none",
              [("count(max by (agent_type) (parley_broker_type_health) == 5) or vector(0)", "unhealthy")],
              "Agent types of which a worker does not do its work, as `parley ps` says.", "stat", 4, 4, red=1),
        Panel("In quarantine", "none", [("sum(parley_supervisor_quarantined) or vector(0)", "processes"),
                                        ("sum(parley_broker_quarantines)", "agents")],
              "Processes that the supervisor has given up for now; agents and agent types out of service.", "stat", 4, 4, red=1),
        Panel("Restarts, last hour", "none", [("sum(increase(parley_supervisor_restarts_total[1h]))", "restarts")],
              "Processes that the supervisor started again.", "stat", 4, 4, yellow=1, red=10),
        Panel("Dead letters, last hour", "none", [("sum(increase(parley_broker_dead_letters_total[1h]))", "dead letters")],
              "Messages that could not be delivered or handled.", "stat", 4, 4, yellow=1, red=10),
    ]),
    Row("Agents", [
        Panel("Turns", "ops", [(total("parley_agent_turns_total", "agent_type", SOME), "{{agent_type}}")],
              "Messages handled by each agent type.", link=TO_AGENT),
        Panel("Errors", "percentunit", [(f"agent_type:parley_agent_turn_errors:ratio_rate5m{{{SOME}}}", "{{agent_type}}")],
              "Share of turns that end in an error; cancelled ones are none.", yellow=0.01, red=0.05, link=TO_AGENT),
        Panel("Turn time, p95", "s", [(p(0.95, "parley_agent_turn_seconds", SOME, "agent_type"), "{{agent_type}}")],
              "From arrival at the worker to the end of the turn, waiting included.", yellow=10, red=30, link=TO_AGENT),
        Panel("In hand", "none", [(f"sum by (agent_type) (parley_agent_inflight_messages{{{SOME}}})", "{{agent_type}}")],
              "Messages that are being handled.", is_stacked=True),
        Panel("Waiting in mailboxes", "none",
              [(f"sum by (agent_type) (parley_agent_waiting_messages{{{SOME}}})", "{{agent_type}}")],
              "Messages waiting for an earlier turn of their agent id.", is_stacked=True),
        Panel("Health", "none", [(f"max by (agent_type) (parley_broker_type_health{{{SOME}}})", "{{agent_type}}")],
              "As `parley ps` says: 0 healthy, 1 starting, 2 degraded, 3 no worker, 4 quarantined, 5 unhealthy.",
              yellow=2, red=3, link=TO_AGENT),
    ]),
    Row("Processes", [
        Panel("Processor", "percentunit", [('rate(process_cpu_seconds_total{job="parley"}[$__rate_interval])', "{{instance}}")],
              "Share of one core. A broker near 1 is full: shard.", yellow=0.7, red=0.95),
        Panel("Memory", "bytes", [('process_resident_memory_bytes{job="parley"}', "{{instance}}")],
              "Resident memory of each process."),
        Panel("Loop lag, p99", "s", [(p(0.99, "parley_loop_lag_seconds", "", "instance"), "{{instance}}")],
              "How late a worker's loop comes round: the time that handlers keep it busy.", yellow=0.1, red=1),
        Panel("Processes", "none", [("parley_build_info", "")], "What runs, and in which version.", "table", 12, 8),
        Panel("Up for", "s", [('time() - process_start_time_seconds{job="parley"}', "{{instance}}")],
              "Time since each process began; a short bar is a restart.", "bargauge", 12, 8),
    ]),
    Row("MCP servers", [
        Panel("Connected", "none", [("sum by (mcp_server) (parley_mcp_connected)", "{{mcp_server}}")],
              "Workers with a connection to each server; one is made when a tool of it is first needed."),
        Panel("Requests by outcome", "ops", [(total("parley_mcp_requests_total", "mcp_server, outcome"), "{{mcp_server}} {{outcome}}")],
              "`ok`, `rejected` by the server, or how it failed.", is_stacked=True),
        Panel("Call time, p95", "s",
              [(p(0.95, "mcp_client_operation_duration_seconds", 'mcp_method_name="tools/call"', "mcp_server"), "{{mcp_server}}")],
              "From a tool's call to the server's answer."),
    ]),
])

BROKER = dashboard("broker", "What goes through the bus, what waits, what is lost.", [BUS_TYPES], [
    Row("Traffic", [
        Panel("Messages", "ops", [(total("parley_broker_requests_total"), "requests"), (total("parley_broker_sends_total"), "sends"),
                                  (total("parley_broker_events_total"), "events")],
              "What peers send.", is_stacked=True),
        Panel("Deliveries", "ops", [(total("parley_broker_deliveries_total"), "deliveries"),
                                    (total("parley_broker_replies_total"), "replies"), (total("parley_broker_parts_total"), "parts")],
              "What the broker hands to workers, and what comes back."),
        Panel("Bytes", "Bps", [(total("parley_broker_in_bytes_total"), "in"), (total("parley_broker_out_bytes_total"), "out")],
              "Received and sent."),
        Panel("Messages in a frame", "none",
              [(f"({total('parley_broker_deliveries_total')} + {total('parley_broker_replies_total')}"
                f" + {total('parley_broker_parts_total')}) / {total('parley_broker_frames_out_total')}", "sent")],
              "Size of bundles: around 1 the bus is idle, above it is busy and shares the cost of frames."),
        Panel("Requests by agent type", "ops", [(total("parley_broker_type_requests_total", "agent_type", SOME), "{{agent_type}}")],
              "Who is asked.", is_stacked=True, link=TO_AGENT),
        Panel("Processor", "percentunit", [('rate(process_cpu_seconds_total{job="parley"}[$__rate_interval]) and on (instance) '
                                            'parley_build_info{program="parley-broker"}', "{{instance}}")],
              "Share of the one core that a broker can use.", yellow=0.7, red=0.95),
    ]),
    Row("Waiting", [
        Panel("In flight", "none", [(f"sum by (agent_type) (parley_broker_type_inflight{{{SOME}}})", "{{agent_type}}")],
              "Deliveries that workers have not finished.", is_stacked=True),
        Panel("Mailboxes", "none", [(f"sum by (agent_type) (parley_broker_mailbox_depth{{{SOME}}})", "{{agent_type}}")],
              "Messages that wait for their agent. Kubernetes scales on this.", is_stacked=True),
        Panel("Parked", "none", [(f"sum by (agent_type) (parley_broker_type_parked{{{SOME}}})", "{{agent_type}}")],
              "Messages for agent types without a worker.", is_stacked=True),
        Panel("Oldest waiting", "s", [("max(parley_broker_oldest_waiting_seconds)", "oldest")],
              "How long the message has waited that waits longest.", yellow=10, red=30),
        Panel("Queued bytes", "bytes", [("sum(parley_broker_queued_bytes)", "queued")],
              "Bytes that wait for peers to read."),
        Panel("Activations", "none", [("sum(parley_broker_activations)", "live"),
                                      (total("parley_broker_activations_started_total"), "started a second")],
              "Agent ids with a live activation."),
    ]),
    Row("Trouble", [
        Panel("Outcomes", "ops", [(total("parley_broker_outcomes_total", "code"), "{{code}}")],
              "How requests end: `ok`, or the code of the error.", is_stacked=True),
        Panel("Errors", "ops", [(total("parley_broker_errors_total"), "errors"), (total("parley_broker_timeouts_total"), "timeouts"),
                                (total("parley_broker_overloaded_total"), "overloaded"),
                                (total("parley_broker_worker_lost_total"), "worker lost")],
              "Requests that did not get an answer."),
        Panel("Dead letters", "none", [("sum(parley_broker_dead_letters)", "kept"),
                                       ("sum(increase(parley_broker_dead_letters_total[$__rate_interval]))", "new")],
              "`parley dlq ls` says which and why.", yellow=1, red=100),
        Panel("Workers", "none", [("sum by (state) (parley_broker_workers)", "{{state}}")],
              "Worker sessions by their state of health.", is_stacked=True),
        Panel("Sessions", "none", [("sum(parley_broker_sessions)", "open"),
                                   ("sum(increase(parley_broker_sessions_lost_total[$__rate_interval]))", "lost")],
              "Peers with a session, and those that went without a word."),
        Panel("Strange frames", "ops", [(total("parley_broker_invalid_frames_total"), "invalid"),
                                        (total("parley_broker_resets_total"), "of an unknown session"),
                                        (total("parley_broker_transport_dropped_total", "reason"), "{{reason}}")],
              "What no proper peer sends; a few after a restart are normal.", yellow=0.1, red=10),
    ]),
])

AGENT = dashboard("agent", "One agent type on all of its workers.",
                  [variable("agent_type", "Agent type", "parley_agent_turns_total", is_multi=False)], [
    Row("Now", [
        Panel("State", "none", [(f"max by (state) (parley_health_state{{{ONE}}}) > 0", "{{state}}")],
              "State of health, the worst of its workers' included.", "stat", 6, 4),
        Panel("Failures in a row", "none", [(f"max(parley_agent_consecutive_failures{{{ONE}}})", "failures")],
              "Five make it unhealthy.", "stat", 6, 4, yellow=1, red=5),
        Panel("Idle for", "s", [(f"time() - max(parley_agent_last_activity_timestamp_seconds{{{ONE}}} > 0)", "idle")],
              "Since its last turn. Idle is not sick.", "stat", 6, 4),
        Panel("Live activations", "none", [(f"sum(parley_agent_activations{{{ONE}}})", "activations")],
              "Agent ids in memory.", "stat", 6, 4),
    ]),
    Row("Turns", [
        Panel("Turns by outcome", "ops", [(total("parley_agent_turns_total", "outcome", ONE), "{{outcome}}")],
              "`ok`, or the code of the error.", width=12, is_stacked=True),
        Panel("Turn time", "s", [(p(q, "parley_agent_turn_seconds", ONE, "agent_type"), f"p{int(q * 100)}")
                                 for q in (0.5, 0.95, 0.99)],
              "From arrival at the worker to the end of the turn, waiting included.", width=12, yellow=10, red=30),
        Panel("In hand and waiting", "none", [(f"sum(parley_agent_inflight_messages{{{ONE}}})", "in hand"),
                                              (f"sum(parley_broker_mailbox_depth{{{ONE}}})", "waiting")],
              "Work that has not ended; what waits does so at the broker or in mailboxes.", is_stacked=True),
        Panel("By worker", "ops", [(total("parley_agent_turns_total", "instance", ONE), "{{instance}}")],
              "How the work is spread.", is_stacked=True),
        Panel("Failures seen by the broker", "ops", [(total("parley_broker_type_failures_total", "agent_type", ONE), "failures")],
              "Requests to this type that ended in an error, lost workers included."),
    ]),
    Row("Conversations, if it is a team", [
        Panel("Ended by reason", "ops", [(total("parley_conversation_finished_total", "reason", ONE), "{{reason}}")],
              "Why its conversations end; `aborted` and `failed` are a member's failure.", is_stacked=True),
        Panel("Under way", "none", [(f"sum(parley_conversation_running{{{ONE}}})", "conversations")],
              "Conversations that it manages now."),
        Panel("Rounds, p95", "none", [(p(0.95, "parley_conversation_rounds", ONE, "agent_type"), "rounds")],
              "How long they get; `max_rounds` ends them."),
        Panel("Members' failures", "ops",
              [(total("parley_conversation_member_failures_total", "policy", ONE), "{{policy}}")],
              "Turns that failed, by what the team's policy made of it.", is_stacked=True),
    ]),
    Row("Model", [
        Panel("Model time", "s", [(p(q, "gen_ai_client_operation_duration_seconds", GEN_AI, "gen_ai_request_model"),
                                   "{{gen_ai_request_model}} " + f"p{int(q * 100)}") for q in (0.5, 0.95)],
              "One call, retries included. Compare with the turn time."),
        Panel("Requests by outcome", "ops", [(total("parley_model_requests_total", "model, outcome", ONE), "{{model}} {{outcome}}")],
              "Requests to the provider; `overloaded` is a 429.", is_stacked=True),
        Panel("Tokens of one call, p95", "none",
              [(p(0.95, "gen_ai_client_token_usage", GEN_AI, "gen_ai_token_type"), "{{gen_ai_token_type}}")],
              "Grows with the length of prompts and histories."),
        Panel("Tokens", "none", [(total("parley_model_tokens_total", "model, token_type", ONE), "{{model}} {{token_type}}")],
              "Tokens a second.", width=12, is_stacked=True),
        Panel("Cost an hour", "currencyUSD", [(f"3600 * sum by (model) (rate(parley_model_cost_usd_total{{{ONE}}}[$__rate_interval]))",
                                               "{{model}}")],
              "At the present rate, by the configured prices.", width=12, is_stacked=True),
    ]),
    Row("Tools", [
        Panel("Tool time, p95", "s", [(p(0.95, "gen_ai_execute_tool_duration_seconds", GEN_AI, "gen_ai_tool_name"), "{{gen_ai_tool_name}}")],
              "The tool's own time, without a person's.", width=12),
        Panel("Calls that failed", "ops",
              [(total("gen_ai_execute_tool_duration_seconds_count", "gen_ai_tool_name, error_type", GEN_AI + ',error_type!=""'),
                "{{gen_ai_tool_name}} {{error_type}}")],
              "By what went wrong; the audit log has each call.", width=12, is_stacked=True),
    ]),
])

SPEND = dashboard("spend", "What the models cost, who spends it, and what is left.", [AGENT_TYPES, MODELS], [
    Row("Money", [
        Panel("Last hour", "currencyUSD", [("sum(increase(parley_model_cost_usd_total[1h]))", "cost")],
              "By the configured prices.", "stat", 6, 4),
        Panel("Last 24 hours", "currencyUSD", [("sum(increase(parley_model_cost_usd_total[1d]))", "cost")],
              "By the configured prices.", "stat", 6, 4),
        Panel("A month at this rate", "currencyUSD",
              [("30 * 24 * 3600 * sum(agent_type_model:parley_model_cost_usd:rate1h)", "a month")],
              "The last hour, extrapolated.", "stat", 6, 4),
        Panel("Unpriced tokens, last hour", "none", [("sum(increase(parley_model_unpriced_tokens_total[1h]))", "tokens")],
              "Missing from every cost: give their model a price.", "stat", 6, 4, yellow=1),
        Panel("Cost an hour by agent type", "currencyUSD",
              [('3600 * sum by (agent_type) (rate(parley_model_cost_usd_total{agent_type=~"$agent_type",model=~"$model"}'
                "[$__rate_interval]))", "{{agent_type}}")],
              "Who spends.", width=12, is_stacked=True, link=TO_AGENT),
        Panel("Cost an hour by model", "currencyUSD",
              [('3600 * sum by (model) (rate(parley_model_cost_usd_total{agent_type=~"$agent_type",model=~"$model"}'
                "[$__rate_interval]))", "{{model}}")],
              "On what.", width=12, is_stacked=True),
    ]),
    Row("Tokens and requests", [
        Panel("Tokens by kind", "none",
              [(total("parley_model_tokens_total", "token_type", 'agent_type=~"$agent_type",model=~"$model"'), "{{token_type}}")],
              "Tokens a second; the kinds add up.", is_stacked=True),
        Panel("Requests by agent type", "ops",
              [(total("parley_model_requests_total", "agent_type", 'agent_type=~"$agent_type",model=~"$model"'), "{{agent_type}}")],
              "Requests to providers, retries included.", is_stacked=True),
        Panel("Refused for rate or capacity", "percentunit",
              [('model:parley_model_requests_overloaded:ratio_rate5m{model=~"$model"}', "{{model}}")],
              "429 and the like, as a share of all requests.", yellow=0.02, red=0.1),
        Panel("Spend by agent type, last hour", "currencyUSD",
              [("sort_desc(sum by (agent_type) (increase(parley_model_cost_usd_total[1h])))", "{{agent_type}}")],
              "The dearest first.", "bargauge", 12, 7),
        Panel("Model time, p95", "s",
              [('gen_ai_request_model:gen_ai_client_operation_duration_seconds:p95_5m{gen_ai_request_model=~"$model"}',
                "{{gen_ai_request_model}}")],
              "One call, retries included.", width=12),
    ]),
    Row("Budgets", [
        Panel("Spent", "percentunit", [("parley_budget_spent_usd / (parley_budget_limit_usd > 0)", "{{budget}}")],
              "Share of each budget that is spent.", "bargauge", 12, 7, yellow=0.8, red=1),
        Panel("Left", "currencyUSD", [("parley_budget_remaining_usd", "{{budget}}")],
              "What each budget still has: neither spent nor reserved.", width=12),
        Panel("Tokens spent", "percentunit", [("parley_budget_spent_tokens / (parley_budget_limit_tokens > 0)", "{{budget}}")],
              "Share of each budget in tokens that is spent.", "bargauge", 12, 7, yellow=0.8, red=1),
        Panel("Tokens left", "none", [("parley_budget_remaining_tokens", "{{budget}}")],
              "What each budget in tokens still has: neither spent nor reserved.", width=12),
        Panel("Reserved", "currencyUSD", [("parley_budget_reserved_usd", "{{budget}}")],
              "Held for calls under way. Much of a limit: calls wait for each other."),
        Panel("Tokens reserved", "none", [("parley_budget_reserved_tokens", "{{budget}}")], "The same in tokens."),
        Panel("Calls refused", "ops", [(total("parley_budget_refused_total", "budget"), "{{budget}}")],
              "Model calls that a budget has refused.", yellow=0.01, red=1),
    ]),
])


def main():
    is_check = sys.argv[1:] == ["--check"]
    stale = []
    for name, content in {"fleet": FLEET, "broker": BROKER, "agent": AGENT, "spend": SPEND}.items():
        file, text = FOLDER / f"{name}.json", json.dumps(content, indent=2) + "\n"
        if is_check and (not file.exists() or file.read_text() != text):
            stale.append(file.name)
        elif not is_check:
            FOLDER.mkdir(exist_ok=True)
            file.write_text(text)
    if stale:
        sys.exit(f"not what this script makes: {', '.join(stale)}; run it, or change it instead of the JSON")


if __name__ == "__main__":
    main()
