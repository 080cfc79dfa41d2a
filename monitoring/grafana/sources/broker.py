"""The dashboard `broker`, panel by panel."""

from .panels import Panel, Row, dashboard, variable
from .queries import SOME, TO_AGENT, total

BUS_TYPES = variable("agent_type", "Agent type", "parley_broker_type_requests_total")

DASHBOARD = dashboard("broker", "What goes through the bus, what waits, what is lost.", [BUS_TYPES], [
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
        Panel("Oldest waiting", "s", [("max(parley_broker_oldest_waiting_seconds)", "oldest"),
                                      (f"max by (agent_type) (parley_agent_oldest_waiting_seconds{{{SOME}}})",
                                       "{{agent_type}}, in a mailbox")],
              "How long the message has waited that waits longest, in the broker or in a mailbox.", yellow=10, red=30),
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
