package io.gannet.internal;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;

/**
 * Finds and loads the native library: the file that the property {@value #PROPERTY} names and no other, else the one in
 * the jar, which is written to a private directory, loaded, and deleted at once.
 */
final class NativeLibrary {
    static final String PROPERTY = "io.gannet.native";

    private static boolean loaded;

    private NativeLibrary() {}

    /**
     * Loads the library, once.
     *
     * @throws UnsupportedOperationException if that is not possible, each time anew: says why, and what to do
     */
    static synchronized void require() {
        if (!loaded) {
            load();
            loaded = true;
        }
    }

    private static void load() {
        String path = System.getProperty(PROPERTY);
        if (path != null) {
            loadFile(Path.of(path).toAbsolutePath(), "the file that -D" + PROPERTY + " names");
            return;
        }
        String os = System.getProperty("os.name", "");
        if (!os.equals("Linux")) {
            throw new UnsupportedOperationException("Gannet runs on Linux, not on " + os);
        }
        loadResource(resourceName(architecture(), Layout.VERSION));
    }

    static String architecture() {
        String name = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return switch (name) {
            case "amd64", "x86_64" -> "x86_64";
            case "arm64", "aarch64" -> "aarch64";
            default -> name;
        };
    }

    static String resourceName(String architecture, String version) {
        return "META-INF/native/linux-" + architecture + "/libgannet-" + version + ".so";
    }

    private static void loadResource(String resource) {
        try (InputStream in = open(resource)) {
            if (in == null) {
                throw new UnsupportedOperationException("no native library for this machine: " + resource
                        + " is not in the jar; build it there, or name one by -D" + PROPERTY + "=PATH");
            }
            Path directory = Files.createTempDirectory(
                    "gannet-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            Path file = directory.toAbsolutePath().resolve(resource.substring(resource.lastIndexOf('/') + 1));
            try {
                Files.copy(in, file);
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
                loadFile(file, "the native library, extracted");
            } finally {
                Files.deleteIfExists(file);
                Files.deleteIfExists(directory);
            }
        } catch (IOException e) {
            throw new UnsupportedOperationException(
                    "cannot write the native library to " + System.getProperty("java.io.tmpdir")
                            + ": choose another directory by -Djava.io.tmpdir, or name the library by -D" + PROPERTY
                            + "=PATH",
                    e);
        }
    }

    private static InputStream open(String resource) throws IOException {
        return NativeLibrary.class.getModule().getResourceAsStream(resource);
    }

    private static void loadFile(Path file, String what) {
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError | IllegalCallerException e) {
            throw new UnsupportedOperationException(explain(file, what, e), e);
        }
    }

    private static String explain(Path file, String what, Throwable failure) {
        String message = "cannot load " + what + ": " + file + ": " + failure.getMessage();
        if (!Files.isReadable(file)) {
            return message + "; the file does not exist or cannot be read";
        }
        if (!nativeAccessEnabled()) {
            Module module = NativeLibrary.class.getModule();
            return message + "; run java with --enable-native-access="
                    + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
        }
        if (String.valueOf(failure.getMessage()).contains("failed to map segment")) {
            return message + "; the directory is probably on a file system mounted with noexec: choose another by"
                    + " -Djava.io.tmpdir, or name the library by -D" + PROPERTY + "=PATH";
        }
        return message;
    }

    /** Module.isNativeAccessEnabled, which came with JDK 22 and restricts loading since JDK 24. */
    private static boolean nativeAccessEnabled() {
        try {
            Method method = Module.class.getMethod("isNativeAccessEnabled");
            return (boolean) method.invoke(NativeLibrary.class.getModule());
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }
}
