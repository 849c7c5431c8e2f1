/* engine_incomplete MODULE: provides a few functions of a libcrypto, but not those for engines.
 * Binds the module to it and prints the errors. Links no OpenSSL. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>

unsigned long OpenSSL_version_num(void);
int ERR_get_next_error_library(void);
int ERR_load_strings(int library, void *strings);
void ERR_add_error_data(int count, ...);
void ERR_new(void);
void ERR_set_debug(const char *file, int line, const char *function);
void ERR_set_error(int library, int reason, const char *format, ...);

static char entry[2048];

unsigned long OpenSSL_version_num(void)
{
    return 0x30000000UL;
}

int ERR_get_next_error_library(void)
{
    return 128;
}

int ERR_load_strings(int library, void *strings)
{
    (void)library;
    (void)strings;
    return 1;
}

void ERR_add_error_data(int count, ...)
{
    va_list arguments;

    va_start(arguments, count);
    snprintf(entry, sizeof(entry), "%s", va_arg(arguments, const char *));
    va_end(arguments);
}

void ERR_new(void)
{
}

void ERR_set_debug(const char *file, int line, const char *function)
{
    (void)file;
    (void)line;
    (void)function;
}

void ERR_set_error(int library, int reason, const char *format, ...)
{
    (void)library;
    (void)reason;
    (void)format;
}

int main(int argc, char **argv)
{
    static char state;
    void *functions[4] = {&state, NULL, NULL, NULL};
    char engine[1024] = {0};
    void *module = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    int (*bind)(void *, const char *, const void *);

    if (module == NULL)
        return 1;
    *(void **)&bind = dlsym(module, "bind_engine");
    if (bind == NULL)
        return 1;
    printf("bind_engine: %d\n%s\n", bind(engine, NULL, functions), entry);
    /* Without a libcrypto there is no error queue. */
    functions[0] = NULL;
    printf("nothing: %d\n", bind(engine, NULL, functions) + bind(engine, NULL, NULL));
    return 0;
}
