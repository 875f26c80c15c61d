/*
 * attr.h - compiler attributes, spelled once.
 *
 * BF_MUSTCHECK stands on every function whose failure the caller has to
 * handle; the build treats an ignored result as an error.
 */
#ifndef BF_COMMON_ATTR_H
#define BF_COMMON_ATTR_H

#define BF_MUSTCHECK		__attribute__((warn_unused_result))
#define BF_NORETURN		__attribute__((noreturn))
#define BF_PRINTF(fmt, args)	__attribute__((format(printf, fmt, args)))
#define BF_UNUSED		__attribute__((unused))

#define BF_ARRAY_LEN(a)		(sizeof(a) / sizeof((a)[0]))

#endif
