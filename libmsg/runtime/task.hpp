// The coroutine type of handlers and of everything they await.
#pragma once

#include <asio/awaitable.hpp>

namespace parley {

template <class T = void>
using Task = asio::awaitable<T>;

}  // namespace parley
