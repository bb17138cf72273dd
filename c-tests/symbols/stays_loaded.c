/* SPDX-License-Identifier: Apache-2.0 */
/* stays_loaded LIBRARY: a library of which nothing else is needed stays when it is closed. */
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (library == NULL) {
        fprintf(stderr, "cannot be loaded: %s\n", count == 2 ? dlerror() : "no library is named");
        return 1;
    }
    dlclose(library);
    if (dlopen(arguments[1], RTLD_NOW | RTLD_NOLOAD) == NULL) {
        fprintf(stderr, "%s was unloaded\n", arguments[1]);
        return 1;
    }
    return 0;
}
