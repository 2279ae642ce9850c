//! Makefiles and CMake's lists that commit crimes. They run programs by design, so what counts is where they get to.

use protocol::FailureCode;

use super::{Ends, Package};
use Ends::{Built, With};

const FAILED: Ends = With(&[FailureCode::CompilationError]);
const NO_ARTIFACT: Ends = With(&[FailureCode::NoArtifact]);

const MAIN: (&str, &str) = ("main.c", "int main(void) { return 0; }\n");
const CMAKE: &str =
    "cmake_minimum_required(VERSION 3.16)\nproject(ark C)\nadd_executable(ark main.c)\n";

const fn make(name: &'static str, ends: Ends, files: &'static [(&str, &str)]) -> Package {
    Package { name, files, ends }
}

pub(super) const PACKAGES: &[Package] = &[
    make(
        "make-reads-passwords",
        FAILED,
        &[(
            "Makefile",
            "all:\n\t@cat /etc/shadow || cat /etc/passwd\n\t@echo LOOT: read\n",
        )],
    ),
    make(
        "make-reads-what-is-planted",
        FAILED,
        &[(
            "Makefile",
            "all:\n\t@cat {CANARY} || cat {OTHER} || cat {WORK}/../npm-home/npmrc\n\t@echo LOOT: read\n",
        )],
    ),
    make(
        "make-builds-what-is-planted-in",
        Built,
        &[
            (
                "Makefile",
                "SECRET := $(shell cat {CANARY} 2>/dev/null)\nark.wasm: main.c\n\t$(CC) -DSECRET='\"$(SECRET)\"' -o $@ $<\n",
            ),
            (
                "main.c",
                "#include <stdio.h>\nint main(void) { puts(SECRET); return 0; }\n",
            ),
        ],
    ),
    make(
        "make-includes-what-is-planted",
        FAILED,
        &[(
            "Makefile",
            "include {CANARY}\nall:\n\t@echo LOOT: included\n",
        )],
    ),
    make(
        "make-connects",
        FAILED,
        &[(
            "Makefile",
            "all:\n\t@bash -c 'exec 3<>/dev/tcp/127.0.0.1/{PORT}'\n\t@echo LOOT: connected\n",
        )],
    ),
    make(
        "make-connects-by-a-program-of-its-own",
        FAILED,
        &[
            (
                "Makefile",
                "all:\n\t@/usr/bin/gcc -o here main.c\n\t@./here\n\t@echo LOOT: connected\n",
            ),
            (
                "main.c",
                "#include <netinet/in.h>\n#include <arpa/inet.h>\n#include <sys/socket.h>\nint main(void) {\n  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons({PORT}), .sin_addr.s_addr = inet_addr(\"127.0.0.1\")};\n  return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to) != 0;\n}\n",
            ),
        ],
    ),
    make(
        "make-changes-what-builds",
        FAILED,
        &[(
            "Makefile",
            "all:\n\t@echo evil > $(CC) || echo evil > /outlayer/source/Makefile || touch /usr/bin/x\n\t@echo LOOT: written\n",
        )],
    ),
    // Where the worker's folders lie in the temporary folder, that of the room holds the same names.
    make(
        "make-writes-elsewhere",
        Built,
        &[
            (
                "Makefile",
                "ark.wasm: main.c\n\t-touch {CANARY}/../ran {WORK}/x {OTHER}\n\t-sh -c 'sleep {MARK} &'\n\t$(CC) -o $@ $<\n",
            ),
            MAIN,
        ],
    ),
    make(
        "make-links-instead",
        NO_ARTIFACT,
        &[(
            "Makefile",
            "all:\n\tln -s {CANARY} ark.wasm\n\tln -s /proc/1/environ a.wasm\n\tmkdir b.wasm\n",
        )],
    ),
    make(
        "make-links-its-folder",
        NO_ARTIFACT,
        &[
            ("Makefile", "all:\n\tln -s / out\n"),
            (
                "outlayer.toml",
                "[build]\nlanguage = 'c'\nartifact = 'out/x.wasm'\n",
            ),
        ],
    ),
    make(
        "make-makes-no-module",
        With(&[FailureCode::BadModule]),
        &[("Makefile", "all:\n\techo text > ark.wasm\n")],
    ),
    make(
        "make-fills-the-disk",
        With(&[FailureCode::OutOfDisk]),
        &[("Makefile", "all:\n\tdd if=/dev/zero of=x bs=1M\n")],
    ),
    make(
        "make-takes-all-the-time",
        With(&[FailureCode::CompilationTimedOut]),
        &[("Makefile", "all:\n\twhile :; do :; done\n")],
    ),
    make(
        "c-includes-what-is-planted",
        FAILED,
        &[
            ("Makefile", "ark.wasm: main.c\n\t$(CC) -o $@ $<\n"),
            (
                "main.c",
                "#include \"{CANARY}\"\n#include \"/etc/passwd\"\nint main(void) { return 0; }\n",
            ),
        ],
    ),
    make(
        "c-assembles-what-is-planted",
        FAILED,
        &[
            ("Makefile", "ark.wasm: main.c\n\t$(CC) -o $@ $<\n"),
            (
                "main.c",
                "__asm__(\".incbin \\\"{CANARY}\\\"\");\nint main(void) { return 0; }\n",
            ),
        ],
    ),
    make(
        "cmake-runs-programs",
        Built,
        &[
            (
                "CMakeLists.txt",
                "cmake_minimum_required(VERSION 3.16)\nproject(ark C)\nexecute_process(COMMAND cat {CANARY} OUTPUT_VARIABLE loot)\nexecute_process(COMMAND touch {CANARY}/../ran)\nif(loot)\n  message(FATAL_ERROR \"LOOT: ${loot}\")\nendif()\nadd_executable(ark main.c)\n",
            ),
            MAIN,
        ],
    ),
    make(
        "cmake-reads",
        FAILED,
        &[
            (
                "CMakeLists.txt",
                "file(READ {CANARY} loot)\nif(loot)\n  message(FATAL_ERROR \"LOOT: ${loot}\")\nendif()\n",
            ),
            MAIN,
        ],
    ),
    make(
        "cmake-downloads",
        Built,
        &[
            (
                "CMakeLists.txt",
                "cmake_minimum_required(VERSION 3.16)\nproject(ark C)\nfile(DOWNLOAD http://127.0.0.1:{PORT}/ ${CMAKE_BINARY_DIR}/x TIMEOUT 5 STATUS status)\nlist(GET status 0 code)\nif(code EQUAL 0 OR code EQUAL 28)\n  message(FATAL_ERROR \"LOOT: connected\")\nendif()\nadd_executable(ark main.c)\n",
            ),
            MAIN,
        ],
    ),
    make(
        "cmake-fetches-a-repository",
        FAILED,
        &[
            (
                "CMakeLists.txt",
                "cmake_minimum_required(VERSION 3.16)\nproject(ark C)\ninclude(FetchContent)\nFetchContent_Declare(x GIT_REPOSITORY https://github.com/rust-lang/rust GIT_TAG master)\nFetchContent_MakeAvailable(x)\nadd_executable(ark main.c)\n",
            ),
            MAIN,
        ],
    ),
    make(
        "cmake-brings-its-own-tools",
        Built,
        &[
            ("CMakeLists.txt", CMAKE),
            (
                "CMakePresets.json",
                "{\"version\": 3, \"configurePresets\": [{\"name\": \"default\", \"cacheVariables\": {\"CMAKE_C_COMPILER\": \"/bin/false\"}}]}",
            ),
            ("kit/bin/clang", "#!/bin/sh\ntouch {CANARY}/../ran\n"),
            MAIN,
        ],
    ),
];
