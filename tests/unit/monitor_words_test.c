#include "kernel/lib/words.h"
#include "tests/unit/test.h"

TEST(words_are_split_as_a_shell_does)
{
    static const struct {
        const char *line;
        unsigned count;
        const char *words[4];
    } rows[] = {
        {"", 0, {0}},
        {"  \t ", 0, {0}},
        {"a", 1, {"a"}},
        {"  a  bc\td ", 3, {"a", "bc", "d"}},
        {"'a b' \"c d\"", 2, {"a b", "c d"}},
        {"x'a b'y", 1, {"xa by"}},
        {"'' \"\"", 2, {"", ""}},
        {"'it'\\''s'", 1, {"it's"}},
        {"a\\ b \\\\", 2, {"a b", "\\"}},
        {"'a\\b' \"a\\\"b\"", 2, {"a\\b", "a\"b"}},
        {"'open to the end", 1, {"open to the end"}},
        {"end\\", 1, {"end\\"}},
        {"a b c d e f", 6, {"a", "b", "c", "d"}},
    };
    for (unsigned i = 0; i < ARRAY_COUNT(rows); i++) {
        char line[64];
        char *words[4];
        strcpy(line, rows[i].line);
        unsigned count = words_split(line, words, 4);
        if (count != rows[i].count)
            test_fail(__FILE__, __LINE__, "[%s]: %u words", rows[i].line, count);
        for (unsigned word = 0; word < count && word < 4; word++)
            if (strcmp(words[word], rows[i].words[word]) != 0)
                test_fail(__FILE__, __LINE__, "[%s]: word %u is [%s]", rows[i].line, word,
                          words[word]);
    }
}
