"""The dashboard `spend`, panel by panel."""

from .panels import Panel, Row, dashboard, variable
from .queries import AGENT_TYPES, TO_AGENT, total

MODELS = variable("model", "Model", "parley_model_requests_total")

DASHBOARD = dashboard("spend", "What the models cost, who spends it, and what is left.", [AGENT_TYPES, MODELS], [
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
