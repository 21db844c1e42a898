#include <dirent.h>
#include <errno.h>

#include "fuzz.h"

/*
 * Runs files, and all files of directories, through a target. It ends as the target does; without a single file it
 * fails, since then nothing was tried.
 */

static unsigned count;

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    uint8_t *bytes = NULL;
    size_t length = 0, got;
    do {
        bytes = realloc(bytes, length + 65536);
        HOLDS(bytes != NULL);
        got = fread(bytes + length, 1, 65536, file);
        length += got;
    } while (got > 0);
    fclose(file);
    fprintf(stderr, "%s\n", path); // the last one named is the one that failed
    uint8_t *exact = fuzz_copy(bytes, length);
    free(bytes);
    LLVMFuzzerTestOneInput(exact, length);
    free(exact);
    count++;
    return 0;
}

static int replay(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return replay_file(path);
    int failed = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char inner[4096];
        if (entry->d_name[0] == '.')
            continue;
        if ((size_t)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name) >= sizeof(inner))
            failed = 1;
        else
            failed |= replay_file(inner);
    }
    closedir(directory);
    return failed;
}

int main(int argument_count, char **arguments)
{
    int failed = 0;
    for (int i = 1; i < argument_count; i++)
        failed |= replay(arguments[i]);
    printf("%u inputs passed\n", count);
    return failed != 0 || count == 0;
}
