// Answers with its input and with who asked, as JSON.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace {

std::string quoted(std::string_view text) {
    std::string json = "\"";
    for (const unsigned char byte : text) {
        if (byte == '"' || byte == '\\') {
            json += '\\';
            json += static_cast<char>(byte);
        } else if (byte < 0x20) {
            char escape[7];
            std::snprintf(escape, sizeof escape, "\\u%04x", byte);
            json += escape;
        } else {
            json += static_cast<char>(byte);
        }
    }
    return json + '"';
}

std::optional<std::string> variable(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

int main() {
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    if (std::cin.bad()) {
        std::cerr << "cannot read the input\n";
        return 1;
    }
    const auto sender = variable("NEAR_SENDER_ID");
    std::cout << "{\"input\":" << quoted(input) << ",\"sender\":" << (sender ? quoted(*sender) : "null") << '}';
    return 0;
}
