/*
 * The bridge: the native methods of io.gannet.internal.Native, and the only file that knows JNI. Java passes numbers,
 * and two direct buffers at set-up; C never calls Java, throws nothing and keeps no reference. A negative result is an
 * errno.
 *
 * A loop is passed as its address. Only the Java class Loop holds it, on the loop's own thread, between create and
 * destroy.
 */
#include <arpa/inet.h>
#include <jni.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "conn/admission.h"
#include "io/listen.h"
#include "loop/loop.h"

static struct gn_loop *loop_at(jlong address)
{
    return (struct gn_loop *)(intptr_t)address;
}

static uint64_t wait_of(jlong nanoseconds)
{
    return nanoseconds < 0 ? GN_IO_WAIT_FOREVER : (uint64_t)nanoseconds;
}

static jint open_wake(JNIEnv *env, jclass type)
{
    (void)env, (void)type;
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

static jint wake(JNIEnv *env, jclass type, jint descriptor)
{
    (void)env, (void)type;
    const uint64_t one = 1;
    ssize_t written;
    do {
        written = write(descriptor, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
    // EAGAIN: the counter is full, so the loop is being woken already.
    return written < 0 && errno != EAGAIN ? -errno : 0;
}

static void close_descriptor(JNIEnv *env, jclass type, jint descriptor)
{
    (void)env, (void)type;
    // Linux frees the descriptor whatever close returns; trying again could close somebody else's.
    close(descriptor);
}

static jint open_listener(JNIEnv *env, jclass type, jint family, jlong high, jlong low, jint scope, jint port,
                          jint backlog, jboolean reuse_port, jboolean probe)
{
    (void)env, (void)type;
    struct sockaddr_storage address = {0};
    socklen_t length;
    if (family == 4) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&address;
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons((uint16_t)port);
        ipv4->sin_addr.s_addr = htonl((uint32_t)low);
        length = sizeof(*ipv4);
    } else {
        struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(void *)&address;
        uint64_t words[2] = {__builtin_bswap64((uint64_t)high), __builtin_bswap64((uint64_t)low)};
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons((uint16_t)port);
        ipv6->sin6_scope_id = (uint32_t)scope;
        memcpy(&ipv6->sin6_addr, words, sizeof(words));
        length = sizeof(*ipv6);
    }
    int descriptor = gn_listen_open((struct sockaddr *)&address, length, backlog, reuse_port, probe);
    if (descriptor < 0)
        return descriptor;
    // Accepted sockets inherit it on Linux: one call here saves one per connection.
    int error = gn_socket_prepare(descriptor);
    if (error != 0) {
        close(descriptor);
        return error;
    }
    return descriptor;
}

static jint listener_port(JNIEnv *env, jclass type, jint descriptor)
{
    (void)env, (void)type;
    struct sockaddr_storage address;
    int error = gn_listen_address(descriptor, &address);
    if (error != 0)
        return error;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)(void *)&address)->sin_port);
    return ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port);
}

static jlong open_admission(JNIEnv *env, jclass type, jlong connections, jlong per_address)
{
    (void)env, (void)type;
    struct gn_admission *admission;
    uint64_t limit = connections < 0 ? GN_ADMISSION_DEFAULT : (uint64_t)connections;
    int error = gn_admission_open(&admission, limit, (uint64_t)per_address);
    return error != 0 ? error : (jlong)(intptr_t)admission;
}

static void release_admission(JNIEnv *env, jclass type, jlong admission)
{
    (void)env, (void)type;
    gn_admission_release((struct gn_admission *)(intptr_t)admission);
}

static jlong create(JNIEnv *env, jclass type, jobject region)
{
    (void)type;
    struct gn_shared *shared = (*env)->GetDirectBufferAddress(env, region);
    jlong capacity = (*env)->GetDirectBufferCapacity(env, region);
    if (shared == NULL || (uintptr_t)shared % _Alignof(struct gn_shared) != 0 ||
        capacity < (jlong)sizeof(struct gn_shared) || shared->loop.size != (uint64_t)capacity)
        return -EINVAL;
    struct gn_loop *loop;
    int error = gn_loop_open(&loop, shared, NULL);
    return error != 0 ? error : (jlong)(intptr_t)loop;
}

static jlong add_slab(JNIEnv *env, jclass type, jlong loop, jobject slab)
{
    (void)type;
    uint8_t *bytes = (*env)->GetDirectBufferAddress(env, slab);
    jlong capacity = (*env)->GetDirectBufferCapacity(env, slab);
    if (bytes == NULL || capacity <= 0)
        return -EINVAL;
    return gn_loop_add_slab(loop_at(loop), bytes, (size_t)capacity);
}

static jlong listen_on(JNIEnv *env, jclass type, jlong loop, jint descriptor)
{
    (void)env, (void)type;
    return gn_loop_listen(loop_at(loop), descriptor);
}

static jint adopt(JNIEnv *env, jclass type, jlong loop, jlong listener, jint descriptor)
{
    (void)env, (void)type;
    return gn_loop_adopt(loop_at(loop), (uint64_t)listener, descriptor);
}

static jlong poll_loop(JNIEnv *env, jclass type, jlong loop, jint commands, jint head, jlong wait)
{
    (void)env, (void)type;
    if (commands < 0)
        return -EINVAL;
    return gn_loop_poll(loop_at(loop), (uint32_t)commands, (uint32_t)head, wait_of(wait));
}

static jint stop(JNIEnv *env, jclass type, jlong loop, jlong wait)
{
    (void)env, (void)type;
    return gn_loop_stop(loop_at(loop), wait_of(wait));
}

static void destroy(JNIEnv *env, jclass type, jlong loop)
{
    (void)env, (void)type;
    gn_loop_free(loop_at(loop));
}

static const JNINativeMethod methods[] = {
    {"openWake", "()I", (void *)open_wake},
    {"wake", "(I)I", (void *)wake},
    {"closeDescriptor", "(I)V", (void *)close_descriptor},
    {"openListener", "(IJJIIIZZ)I", (void *)open_listener},
    {"listenerPort", "(I)I", (void *)listener_port},
    {"openAdmission", "(JJ)J", (void *)open_admission},
    {"releaseAdmission", "(J)V", (void *)release_admission},
    {"create", "(Ljava/nio/ByteBuffer;)J", (void *)create},
    {"addSlab", "(JLjava/nio/ByteBuffer;)J", (void *)add_slab},
    {"listen", "(JI)J", (void *)listen_on},
    {"adopt", "(JJI)I", (void *)adopt},
    {"poll", "(JIIJ)J", (void *)poll_loop},
    {"stop", "(JJ)I", (void *)stop},
    {"destroy", "(J)V", (void *)destroy},
};

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved)
{
    (void)reserved;
    JNIEnv *env;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_10) != JNI_OK)
        return JNI_ERR;
    jclass type = (*env)->FindClass(env, "io/gannet/internal/Native");
    if (type == NULL)
        return JNI_ERR;
    jint error = (*env)->RegisterNatives(env, type, methods, sizeof(methods) / sizeof(methods[0]));
    (*env)->DeleteLocalRef(env, type);
    return error == JNI_OK ? JNI_VERSION_10 : JNI_ERR;
}
