// What an agent author writes. The shortest agent:
//
//     class Greeter : public parley::TypedAgent<Greeter, Question> {
//      public:
//       parley::Task<parley::Result<Answer>> on(const Question& question, parley::Context&) {
//         co_return Answer{"hello " + question.name};
//       }
//     };
//
// With g++ 12, name a message before you await its call: `co_await context.send(target, Text{"…"})` copies the braced
// aggregate's std::string wrongly (GCC bug 98056); `const Text text{"…"}; co_await context.send(target, text)` is
// right.
//
// All members of an agent are called on the loop thread, one message at a time (unless the type was registered as
// re-entrant or with interleaved payload types), in the order in which each sender sent them. A handler may throw: the
// caller gets `handler_failed`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "libmsg/runtime/context.hpp"
#include "libmsg/runtime/message.hpp"
#include "libmsg/runtime/task.hpp"

namespace parley {

class Agent {
 public:
  Agent() = default;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  virtual ~Agent() = default;

  /// One message. The returned payload is the reply of a request and is ignored for one-way messages. An empty payload
  /// is a valid, empty reply. Return `no_handler` for a message type that the agent does not know.
  virtual Task<Result<Payload>> handle(const Payload& message, Context& context) = 0;
  /// Runs before the first message. A failure answers the waiting messages with `activation_failed`.
  virtual Task<Result<>> on_activate(Context& /*context*/) { co_return Result<>{}; }
  /// Runs when the runtime puts the activation away (idle, drained, stopped).
  virtual Task<> on_deactivate() { co_return; }

  /// State to keep over a passivation or a Runtime::save_state; empty text for none. Opaque to the runtime.
  [[nodiscard]] virtual Result<std::string> save_state() const { return std::string(); }
  /// Called before on_activate when there is saved state.
  virtual Result<> load_state(std::string_view /*state*/) { return {}; }
};

namespace detail {

template <class T>
struct HandlerReply;
template <class R>
struct HandlerReply<Task<Result<R>>> {
  using type = R;
};

}  // namespace detail

/// Dispatches on the payload's type name to `Derived::on(const M&, Context&)`, which returns `Task<Result<Reply>>` with
/// a typed message, a Payload or void as Reply. Malformed payloads are answered with `invalid`.
template <class Derived, TypedMessage... Ms>
class TypedAgent : public Agent {
 public:
  Task<Result<Payload>> handle(const Payload& message, Context& context) override {
    Task<Result<Payload>> (*handler)(Derived&, const Payload&, Context&) = nullptr;
    ((message.type == Ms::kTypeName ? void(handler = &TypedAgent::template call<Ms>) : void()), ...);
    if (handler == nullptr) return unknown(message.type, context);
    return handler(static_cast<Derived&>(*this), message, context);
  }

 private:
  template <class M>
  static Task<Result<Payload>> call(Derived& self, const Payload& message, Context& context) {
    Result<M> decoded = from_payload<M>(message);
    if (!decoded) co_return fail(std::move(decoded).error());
    using Reply = typename detail::HandlerReply<decltype(self.on(*decoded, context))>::type;
    Result<Reply> reply = co_await self.on(*decoded, context);
    if (!reply) co_return fail(std::move(reply).error());
    if constexpr (std::is_void_v<Reply>) {
      co_return Payload{};
    } else if constexpr (std::is_same_v<Reply, Payload>) {
      co_return std::move(*reply);
    } else {
      co_return to_payload(*reply);
    }
  }

  static Task<Result<Payload>> unknown(std::string type, Context& context) {
    co_return fail(ErrorCode::no_handler,
                   "agent type '" + context.self().type() + "' has no handler for '" + type + "'");
  }
};

/// Makes the agent of one id on its first message. May throw: callers get `activation_failed`.
using AgentFactory = std::function<std::unique_ptr<Agent>(const AgentId&)>;

/// An agent that is one function; what edges and tests use to collect messages.
using Closure = std::function<Task<Result<Payload>>(const Payload&, Context&)>;

}  // namespace parley
