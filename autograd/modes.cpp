#include "gradus/autograd/modes.h"

#include <utility>

namespace gradus {

namespace detail {
Modes& modes() {
  thread_local Modes instance{.path = std::make_shared<const std::string>()};
  return instance;
}
}  // namespace detail

bool recording_wanted(Inputs in) {
  if (!grad_enabled()) return false;
  for (const Tensor& x : in)
    if (x.defined() && x.requires_grad()) return true;
  return false;
}

std::shared_ptr<const std::string> current_path() { return detail::modes().path; }

Scope::Scope(std::string_view name) : before_(detail::modes().path) {
  detail::modes().path = std::make_shared<const std::string>(
      before_->empty() ? std::string(name) : fmt::format("{}.{}", *before_, name));
}
Scope::Scope(std::string_view name, int64_t index) : Scope(fmt::format("{}.{}", name, index)) {}
Scope::Scope(std::shared_ptr<const std::string> path)
    : before_(std::exchange(detail::modes().path, std::move(path))) {}
Scope::~Scope() { detail::modes().path = std::move(before_); }

}  // namespace gradus
