// A small fleet as the broker reports it: two workers, two agent types, one client.
#pragma once

#include "libmsg/wire/ps_report.hpp"

namespace parley::cli::top {

inline wire::PsType sample_type(std::string name, std::uint64_t requests) {
  wire::PsType type;
  type.name = std::move(name);
  type.workers = 1;
  type.activations = 12;
  type.inflight = 3;
  type.requests = requests;
  type.health = "healthy";
  type.latency_p50_us = 1'200;
  type.latency_p95_us = 45'000;
  type.input_tokens = 1'000;
  type.output_tokens = 200;
  type.cost_nano_usd = 120'000'000;
  return type;
}

inline wire::PsPeer sample_worker(std::string name, std::vector<std::string> types) {
  wire::PsPeer peer;
  peer.name = std::move(name);
  peer.incarnation = 7;
  peer.is_worker = true;
  peer.types = std::move(types);
  peer.activations = 12;
  peer.inflight = 3;
  peer.uptime_ms = 61'000;
  peer.health = "healthy";
  peer.has_vitals = true;
  peer.vitals.rss_bytes = 40'000'000;
  for (const std::string& type : peer.types) {
    wire::TypeVitals vitals;
    vitals.name = type;
    vitals.successes = 100;
    vitals.latency_p95_us = 45'000;
    peer.vitals.types.push_back(vitals);
  }
  return peer;
}

inline wire::PsReport sample_report() {
  wire::PsReport report;
  report.shard_epoch = 4;
  report.uptime_ms = 3'725'000;
  report.types = {sample_type("hr", 1000), sample_type("finance", 400)};
  report.types[1].health = "degraded";
  report.types[1].health_reason = "3 failures of the model in a row";
  report.types[1].failures = 4;
  report.types[1].mailbox_depth = 2;
  report.peers = {sample_worker("hr", {"hr"}), sample_worker("finance", {"finance"})};
  report.peers[1].health = "degraded";
  wire::PsPeer client;
  client.name = "parley top (pid 1)";
  report.peers.push_back(client);
  report.numbers = {{"parley_broker_requests_total", 1400},
                    {"parley_broker_activations", 24},
                    {"parley_broker_inflight", 6},
                    {"parley_broker_dead_letters", 2},
                    {"parley_broker_dead_letters_total", 2}};
  return report;
}

}  // namespace parley::cli::top
