"""The dashboard `agent`, panel by panel."""

from .panels import Panel, Row, dashboard, variable
from .queries import p, total

ONE = 'agent_type="$agent_type"'
GEN_AI = 'gen_ai_agent_name="$agent_type"'

DASHBOARD = dashboard("agent", "One agent type on all of its workers.",
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
