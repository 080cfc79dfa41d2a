#include "broker/core/invariants.hpp"

#include <map>

namespace parley::broker {
namespace {

/// Collects what is counted one way, and compares it with what is counted another way.
class Audit {
 public:
  explicit Audit(const State& state) : state_(state) {}

  std::vector<std::string> run() {
    for (std::uint32_t slot = 0; slot < state_.deliveries.slots().end(); slot++) count_delivery(slot);
    for (const auto& session : state_.sessions.all()) {
      if (session) check_session(*session);
    }
    check_fenced();  // What is held for a fenced agent waits for its type as well.
    for (const auto& type : state_.registry.all()) {
      if (type) check_type(*type);
    }
    check_bounds();
    walk("recovering", state_.recovering, Place::recovering, [](const Delivery&) { return true; });
    equal("deliveries in lists", listed_, state_.deliveries.size());
    equal("activations of sessions", activations_, state_.directory.size());
    equal("activations with a held list", holding_, state_.holding.size());
    return std::move(broken_);
  }

 private:
  void equal(const std::string& what, std::uint64_t left, std::uint64_t right) {
    if (left != right) broken_.push_back(what + ": " + std::to_string(left) + " is not " + std::to_string(right));
  }

  void at_most(const std::string& what, std::uint64_t value, std::uint64_t bound) {
    if (value > bound) broken_.push_back(what + ": " + std::to_string(value) + " is above " + std::to_string(bound));
  }

  void count_delivery(std::uint32_t slot) {
    const Delivery& delivery = state_.deliveries[slot];
    if (delivery.place == Place::free) return;
    equal("deliveries between places", delivery.place == Place::routing ? 1 : 0, 0);
    if (delivery.is_request()) requests_of_[delivery.origin]++;
    if (delivery.type != kNil) inflight_of_[delivery.type]++;
  }

  template <class Belongs>
  void walk(const std::string& what, const DeliveryList& list, Place place, Belongs belongs) {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    for (std::uint32_t slot = list.head; slot != kNil; slot = state_.deliveries[slot].list_next) {
      const Delivery& delivery = state_.deliveries[slot];
      count++;
      bytes += delivery.envelope.size();
      if (delivery.place != place || !belongs(delivery)) broken_.push_back(what + ": a delivery of another place");
    }
    equal(what + " count", count, list.count);
    equal(what + " bytes", bytes, list.bytes);
    listed_ += count;
  }

  void check_bounds() {
    const CoreConfig& config = state_.config;
    at_most("sessions", state_.sessions.size(), config.max_sessions);
    at_most("activations", state_.directory.size(), config.max_activations);
    at_most("dead letters", state_.dead_letters.kept(), config.max_dead_letters);
    at_most("dead letter bytes", state_.dead_letters.bytes(), config.max_dead_letter_bytes);
    at_most("recovering bytes", state_.recovering.bytes, config.max_parked_bytes_per_type);
  }

  void check_fenced() {
    std::uint32_t count = 0;
    for (std::uint32_t slot = state_.fenced.head; slot != kNil; slot = state_.directory[slot].next) {
      const Activation& activation = state_.directory[slot];
      count++;
      equal("worker of a fenced activation", activation.worker, kNil);
      equal("a fenced activation that leaves", activation.is_leaving ? 1 : 0, 0);
      check_held(activation, slot, "fenced");
    }
    equal("fenced activations", count, state_.fenced.count);
    activations_ += count;
  }

  void check_held(const Activation& activation, std::uint32_t slot, const std::string& name) {
    equal(name + " holding " + std::string(activation.id()), state_.holding.contains(slot) ? 1 : 0,
          activation.held ? 1 : 0);
    if (!activation.held) return;
    holding_++;
    walk(name + " held", *activation.held, Place::held,
         [&](const Delivery& delivery) { return delivery.activation == slot; });
    waiting_of_[activation.type] += activation.held->count;
  }

  void check_session(const Session& session) {
    const std::string name = "session " + session.name;
    equal(name + " requests", session.requests.size(), requests_of_[session.slot]);
    walk(name + " deliveries", session.deliveries, Place::worker,
         [&](const Delivery& delivery) { return delivery.worker == session.slot; });
    std::uint32_t count = 0;
    for (std::uint32_t slot = session.activations.head; slot != kNil; slot = state_.directory[slot].next) {
      const Activation& activation = state_.directory[slot];
      count++;
      equal(name + " worker of " + std::string(activation.id()), activation.worker, session.slot);
      equal(name + " directory entry", state_.directory.find(activation.id()), slot);
      (activation.is_leaving ? leaving_of_ : activations_of_)[activation.type]++;
      check_held(activation, slot, name);
    }
    equal(name + " activations", count, session.activations.count);
    activations_ += count;
  }

  void check_type(const AgentType& type) {
    const std::string name = "type " + type.name;
    walk(name + " parked", type.parked, Place::parked,
         [&](const Delivery& delivery) { return delivery.type == type.index; });
    at_most(name + " waiting", type.waiting, state_.config.max_parked_per_type);
    at_most(name + " waiting bytes", type.waiting_bytes, state_.config.max_parked_bytes_per_type);
    equal(name + " waiting", type.waiting, type.parked.count + waiting_of_[type.index]);
    equal(name + " inflight", type.inflight, inflight_of_[type.index]);
    std::uint64_t activations = 0;
    for (const Hosting& hosting : type.hostings) activations += hosting.activations;
    equal(name + " activations", activations, activations_of_[type.index]);
    equal(name + " leaving", type.leaving, leaving_of_[type.index]);
    for (const Hosting& hosting : type.hostings) {
      const auto& sessions = state_.sessions.all();
      const bool is_there = hosting.session < sessions.size() && sessions[hosting.session] != nullptr;
      equal(name + " hosted by a session that is there", is_there ? 1 : 0, 1);
    }
  }

  const State& state_;
  std::vector<std::string> broken_;
  std::uint64_t listed_ = 0;
  std::uint64_t activations_ = 0;
  std::uint64_t holding_ = 0;
  std::map<std::uint32_t, std::uint64_t> requests_of_;
  std::map<std::uint32_t, std::uint64_t> inflight_of_;
  std::map<std::uint32_t, std::uint64_t> activations_of_;
  std::map<std::uint32_t, std::uint64_t> leaving_of_;
  std::map<std::uint32_t, std::uint64_t> waiting_of_;
};

}  // namespace

std::vector<std::string> find_broken_invariants(const State& state) { return Audit(state).run(); }

}  // namespace parley::broker
