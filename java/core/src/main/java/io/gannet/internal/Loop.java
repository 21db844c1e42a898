package io.gannet.internal;

import io.gannet.EventLoop;
import io.gannet.Handler;
import io.gannet.LoopStats;
import io.gannet.ScheduledTask;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;

/**
 * An event loop. A turn is: poll, timers, tasks, events. The poll hands over all commands, waits if there is nothing
 * else to do, and returns events; handlers of requests among them run right here and write commands.
 *
 * <pre>
 *   open --> turn, turn, ... --> close --> ended
 *                 \--- a Throwable -/
 * </pre>
 */
public final class Loop implements EventLoop, Runnable {
    private static final int MOST_EVENTS = 1024;
    private static final int MOST_TASKS = 256;
    private static final long MOST_NANOSECONDS = 100_000;
    private static final int CLOCK_EVERY = 8;
    private static final long STOP_NANOSECONDS = 2_000_000_000L;
    /** Half of what a clock that wraps around can tell apart. */
    private static final Duration LONGEST_DELAY = Duration.ofNanos(Long.MAX_VALUE / 2);

    private static final int SCRATCH_BYTES = 1024;

    /** The most exchanges that are kept for reuse. */
    private static final int MOST_POOLED = 1024;

    /** What {@link #adopt} says of a listener that has stopped: -ESHUTDOWN. */
    static final int LISTENER_GONE = -108;

    private static final VarHandle TURNS;

    static {
        try {
            TURNS = MethodHandles.lookup().findVarHandle(Loop.class, "turns", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Memory that the kernel did not let go of: never freed. */
    private static final List<Object> LEAKED = new ArrayList<>();

    private final String name;
    private final LoopOptions options;
    private final Thread thread;
    private final int wakeDescriptor;
    private final Inbox inbox;
    private final Timers timers = new Timers();
    private final Log.AcceptFailures acceptFailures;
    private final ConcurrentHashMap<Long, PeerConnection> connections = new ConcurrentHashMap<>();
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile Region region;
    private volatile LoopStats finalStats = Counters.NONE;
    private volatile Throwable failure;

    private ByteBuffer events;
    private int eventsAt;
    private CommandRing commands;
    private final Slabs slabs = new Slabs();
    private Exchange[] exchanges = new Exchange[256];
    private Listener[] listeners = new Listener[4];

    /** Exchanges that can be used again. */
    private final Exchange[] pool = new Exchange[MOST_POOLED];

    private int pooled;

    private final PreparedSlots prepared = new PreparedSlots();

    /** Exchanges that the loop has nothing to do for: whoever is to answer holds them. */
    private final Map<Long, Abandoned> loosened = new HashMap<>();

    /** Connections whose handler runs elsewhere, and the exchanges that wait behind it. */
    private final Map<Long, ArrayDeque<Exchange>> occupied = new HashMap<>();

    /** Counts up when a poll begins and when it ends: odd while handlers run. */
    @SuppressWarnings("unused") // by TURNS
    private long turns = 1;

    private final Watchdog watchdog;
    private byte[] scratch = new byte[SCRATCH_BYTES];
    private long pointer;

    /** Connections whose last response was written in this turn: requests behind it must not be handled. */
    private final Set<Long> closingConnections = new HashSet<>();

    private int eventHead;
    private int eventTail;
    private boolean slabWanted;
    private boolean ending;
    private boolean closing;

    Loop(LoopOptions options, String name, Watchdog watchdog) throws IOException {
        this.options = options;
        this.name = name;
        this.watchdog = watchdog;
        acceptFailures = new Log.AcceptFailures(name);
        int descriptor = Native.openWake();
        if (descriptor < 0) {
            throw new IOException("cannot create an eventfd: " + Errno.describe(-descriptor));
        }
        wakeDescriptor = descriptor;
        inbox = new Inbox(() -> Native.wake(descriptor));
        thread = new LoopThread(this, name);
        thread.setDaemon(false);
    }

    /** Is recognised as a thread that must not wait. */
    private static final class LoopThread extends Thread {
        LoopThread(Loop loop, String name) {
            super(null, loop, name);
        }
    }

    /** Whether the calling thread is one of a loop, whichever. */
    static boolean isCurrent() {
        return Thread.currentThread() instanceof LoopThread;
    }

    Thread thread() {
        return thread;
    }

    /** A number that is odd while handlers run, and another one in each turn. */
    long turns() {
        return (long) TURNS.getOpaque(this);
    }

    /** Starts the thread; the future is complete when the loop runs, or fails with why it does not. */
    CompletableFuture<Void> start() {
        try {
            thread.start();
        } catch (Throwable refused) {
            Native.closeDescriptor(wakeDescriptor);
            opened.completeExceptionally(refused);
            ended.complete(null);
        }
        return opened;
    }

    /** Complete when the thread has let go of everything. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    /** Asks the loop to end. */
    void end() {
        inbox.offer(() -> ending = true);
    }

    /** Ends the loop as a fault of the library does. */
    void fail(Throwable cause) {
        inbox.offer(() -> {
            failure = cause;
            ending = true;
        });
    }

    Region region() {
        return region;
    }

    // ---- any thread ----

    @Override
    public void execute(Runnable task) {
        if (!inbox.offer(Objects.requireNonNull(task, "task"))) {
            throw rejected();
        }
    }

    /** As {@link #execute}; {@code false} if the loop has ended. */
    boolean offer(Runnable task) {
        return inbox.offer(task);
    }

    @Override
    public ScheduledTask schedule(Duration delay, Runnable task) {
        Objects.requireNonNull(delay, "delay");
        Objects.requireNonNull(task, "task");
        if (inEventLoop() && !inbox.isRefusing()) {
            return timer(delay, task);
        }
        Timers.Timer timer = new Timers.Timer(timers, System.nanoTime() + nanoseconds(delay), task);
        if (!inbox.offer(() -> timers.add(timer))) {
            throw rejected();
        }
        return timer;
    }

    private static long nanoseconds(Duration delay) {
        if (delay.isNegative()) {
            return 0;
        }
        return (delay.compareTo(LONGEST_DELAY) < 0 ? delay : LONGEST_DELAY).toNanos();
    }

    /** As {@link #schedule}, on the loop's thread. */
    Timers.Timer timer(Duration delay, Runnable task) {
        Timers.Timer timer = new Timers.Timer(timers, System.nanoTime() + nanoseconds(delay), task);
        timers.add(timer);
        return timer;
    }

    /** As {@link #schedule}, on the loop's thread; nothing if the loop has ended. */
    void later(Duration delay, Runnable task) {
        if (!inbox.isRefusing()) {
            schedule(delay, task);
        }
    }

    private RejectedExecutionException rejected() {
        return new RejectedExecutionException(name + " has ended");
    }

    @Override
    public boolean inEventLoop() {
        return Thread.currentThread() == thread;
    }

    @Override
    public LoopStats stats() {
        Region current = region;
        return current == null ? finalStats : Counters.read(current.bytes);
    }

    /** The loop's name, which is its thread's. */
    @Override
    public String toString() {
        return name;
    }

    /** The connection of an exchange that lasts; C is asked to tell when it is gone. */
    PeerConnection connection(long id, long info, HeadSource exchange) {
        PeerConnection known = connections.get(id);
        if (known != null) {
            return known;
        }
        PeerConnection made;
        try {
            made = exchange.sound(PeerConnection.read(this, id, slabs.slab(info), Slabs.offset(info)));
        } catch (IndexOutOfBoundsException e) {
            throw exchange.unreadable(e);
        }
        PeerConnection before = connections.putIfAbsent(id, made);
        if (before != null) {
            return before;
        }
        if (inEventLoop()) {
            watch(id);
        } else if (!inbox.offer(() -> watch(id))) {
            made.closed(Layout.REASON_ABORTED);
        }
        return made;
    }

    private void watch(long id) {
        commands.plain(Layout.COMMAND_WATCH, 0, id, 0, 0);
    }

    // ---- the loop's thread: for exchanges and servers ----

    CommandRing commands() {
        return commands;
    }

    ByteBuffer slab(long block) {
        return slabs.slab(block);
    }

    /** An array of at least so many bytes, for use before the next call. */
    byte[] scratch(int length) {
        if (length > scratch.length) {
            if (length > 16 * SCRATCH_BYTES) {
                return new byte[length];
            }
            scratch = new byte[length];
        }
        return scratch;
    }

    /** Hands the commands over in the middle of a turn, for room; events only queue up. */
    void flush() {
        poll(0);
    }

    /** The connection ends with the response that was written: RFC 9112 section 9.6 forbids to process what follows. */
    void closes(long connectionId) {
        closingConnections.add(connectionId);
    }

    /** The exchange was released. */
    void forget(long exchangeId) {
        exchanges[(int) exchangeId & Layout.ID_SLOT_MASK] = null;
    }

    /** Keeps an exchange that was released for another request. */
    void recycle(Exchange exchange) {
        if (pooled < MOST_POOLED) {
            pool[pooled++] = exchange;
        }
    }

    /** Prepared responses that C keeps for this loop. */
    PreparedSlots prepared() {
        return prepared;
    }

    /** The loop has something to do for the exchange again. */
    void hold(Exchange exchange) {
        exchanges[(int) exchange.id & Layout.ID_SLOT_MASK] = exchange;
    }

    /** The loop has nothing to do for the exchange, and holds it no more than it must. */
    Abandoned loosen(Exchange exchange) {
        Abandoned loose = new Abandoned(exchange, watchdog.abandoned());
        exchanges[(int) exchange.id & Layout.ID_SLOT_MASK] = null;
        loosened.put(exchange.id, loose);
        return loose;
    }

    void forgetAbandoned(Abandoned loose) {
        loosened.remove(loose.id, loose);
    }

    /** Nobody knows the exchange any more, so nobody can answer. */
    void endAbandoned(Abandoned loose) {
        if (!loosened.remove(loose.id, loose) || closing) {
            return;
        }
        Exchange rest = new Exchange(this);
        rest.begin(loose.listener, loose.id, loose.connectionId, loose.slab, loose.head, 0);
        exchanges[(int) loose.id & Layout.ID_SLOT_MASK] = rest;
        rest.endAbandoned(loose);
    }

    /** A handler of this connection runs elsewhere: the requests behind it wait. */
    void occupy(long connectionId) {
        occupied.putIfAbsent(connectionId, new ArrayDeque<>(1));
    }

    /** The exchange for which the connection was occupied is over: the next one has its turn, or none if it closes. */
    void vacate(long connectionId, boolean closes) {
        ArrayDeque<Exchange> waiting = occupied.get(connectionId);
        if (waiting == null) {
            return;
        }
        if (closes) {
            occupied.remove(connectionId);
            waiting.forEach(Exchange::skip);
        } else if (waiting.isEmpty()) {
            occupied.remove(connectionId);
        } else {
            // Not from here: this may be in the middle of a handler, and long queues would nest.
            Exchange next = waiting.poll();
            inbox.offer(() -> takeTurn(connectionId, next));
        }
    }

    private void takeTurn(long connectionId, Exchange next) {
        next.handleLate();
        if (!next.occupies()) {
            vacate(connectionId, next.broken || next.isClosing());
        }
    }

    /** Takes a listening socket over. */
    Listener listen(Server server, Handler handler, ServerOptions settings, int descriptor) throws IOException {
        if (pointer == 0 || closing) {
            Native.closeDescriptor(descriptor);
            throw new IllegalStateException(name + " has ended");
        }
        settings.write(region.bytes);
        long id = Native.listen(pointer, descriptor);
        if (id < 0) {
            throw new IOException("cannot listen on " + name + ": " + Errno.describe((int) -id));
        }
        Listener listener = new Listener(server, handler, this, id, settings);
        int slot = listener.slot();
        if (slot >= listeners.length) {
            listeners = Arrays.copyOf(listeners, Math.max(slot + 1, 2 * listeners.length));
        }
        listeners[slot] = listener;
        return listener;
    }

    /** Takes over a connected socket; 0, or a negated errno. */
    int adopt(Listener listener, int descriptor) {
        if (pointer == 0 || listeners[listener.slot()] != listener) {
            return LISTENER_GONE;
        }
        return Native.adopt(pointer, listener.id, descriptor);
    }

    /** Stops accepting; ends the connections gracefully, or at once. */
    void unlisten(Listener listener, boolean abort) {
        if (pointer != 0 && listeners[listener.slot()] == listener) {
            commands.plain(Layout.COMMAND_UNLISTEN, abort ? Layout.FLAG_ABORT : 0, listener.id, 0, 0);
        }
    }

    // ---- the loop's thread: its life ----

    /** The loop's thread. */
    @Override
    public void run() {
        try {
            open();
        } catch (OutOfMemoryError full) {
            refuse(new IOException(
                    "cannot start " + name + ": no direct memory for it; raise -XX:MaxDirectMemorySize,"
                            + " or ask for fewer loops or slabs",
                    full));
            return;
        } catch (Throwable refused) {
            refuse(refused);
            return;
        }
        opened.complete(null);
        try {
            while (!ending) {
                turnWithinMemory();
            }
        } catch (Throwable thrown) {
            if (failure == null) {
                failure = thrown;
            }
        }
        close();
    }

    private void refuse(Throwable why) {
        release();
        opened.completeExceptionally(why);
        ended.complete(null);
    }

    private void open() throws IOException {
        Region memory = new Region(options.backend, wakeDescriptor, options.slabs, options.memory());
        region = memory;
        events = memory.bytes;
        eventsAt = memory.events;
        commands = new CommandRing(this, memory);
        long created = Native.create(memory.bytes);
        if (created <= 0) {
            String why = memory.text();
            throw new IOException("cannot start " + name + " on " + options.backend + ": "
                    + (why.isEmpty() ? Errno.describe((int) -created) : why) + remedy());
        }
        pointer = created;
        for (int i = 0; i < options.slabs; i++) {
            int index = slabs.add(pointer, Slabs.allocate());
            if (index < 0) {
                throw new IOException("cannot start " + name + ": memory was not taken: " + Errno.describe(-index));
            }
        }
    }

    private String remedy() {
        return switch (options.backend) {
            case IO_URING ->
                "; allow io_uring (sysctl kernel.io_uring_disabled=0, the seccomp profile of the container),"
                        + " or choose Backend.AUTO or Backend.EPOLL";
            case AUTO, EPOLL -> "";
        };
    }

    private void turnWithinMemory() {
        try {
            turn();
        } catch (OutOfMemoryError full) {
            // The heap is the application's as well: the next turn may have memory again.
            if (failure != null) {
                throw full;
            }
        }
    }

    private void turn() {
        long wait = 0;
        if (eventHead == eventTail && !closingConnections.isEmpty()) {
            // No head of theirs is here, and the poll makes none: it hands their last responses over first.
            closingConnections.clear();
        }
        if (eventHead == eventTail && inbox.isEmpty()) {
            wait = timers.isEmpty() ? -1 : timers.untilNext(System.nanoTime());
            if (wait != 0 && !inbox.prepareToSleep()) {
                wait = 0;
            }
        }
        poll(wait);
        if (wait != 0) {
            inbox.awake();
        }
        if (!timers.isEmpty()) {
            runTimers();
        }
        runTasks();
        handleEvents();
    }

    private void poll(long wait) {
        int count = commands.take();
        if (closing) {
            return;
        }
        TURNS.setOpaque(this, turns + 1);
        long found = Native.poll(pointer, count, eventHead, wait);
        TURNS.setOpaque(this, turns + 1);
        if (found < 0) {
            throw fault("poll failed: " + Errno.describe((int) -found));
        }
        eventTail = eventHead + (int) found;
    }

    /** A fault of the library's own ends the loop, whoever catches it. */
    private IllegalStateException fault(String what) {
        IllegalStateException fault = new IllegalStateException(name + ": " + what);
        failure = fault;
        ending = true;
        return fault;
    }

    private void runTimers() {
        long now = System.nanoTime();
        for (Runnable task = timers.takeDue(now); task != null; task = timers.takeDue(now)) {
            run(task);
        }
    }

    private void runTasks() {
        for (int i = 0; i < MOST_TASKS; i++) {
            Runnable task = inbox.poll();
            if (task == null) {
                return;
            }
            run(task);
        }
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable failed) {
            Log.taskFailed(name, failed);
        }
    }

    private void handleEvents() {
        long start = 0;
        for (int i = 1; eventHead != eventTail; i++) {
            int at = eventsAt + (eventHead & LoopOptions.EVENTS - 1) * Layout.RECORD_BYTES;
            long first = events.getLong(at);
            long subject = events.getLong(at + Layout.RECORD_SUBJECT);
            long block = events.getLong(at + Layout.RECORD_BLOCK);
            long value = events.getLong(at + Layout.RECORD_VALUE);
            eventHead++;
            try {
                handle(first, subject, block, value);
            } catch (Throwable thrown) {
                if (failure != null) {
                    return;
                }
                try {
                    drop(first, subject, thrown);
                } catch (Throwable again) {
                    // Without memory there may be no way to say so.
                }
                if (failure != null) {
                    return;
                }
            }
            if (i % CLOCK_EVERY == 0) {
                long now = System.nanoTime();
                if (i == CLOCK_EVERY) {
                    start = now;
                } else if (i == MOST_EVENTS || now - start > MOST_NANOSECONDS) {
                    return;
                }
            }
        }
    }

    /** Handling an event threw: the exchange that it is of fails, and the loop goes on. */
    private void drop(long first, long subject, Throwable thrown) {
        int kind = kind(first);
        boolean isOfExchange = kind >= Layout.EVENT_HEAD && kind <= Layout.EVENT_SENT;
        Exchange exchange = isOfExchange ? exchange(subject) : null;
        if (exchange != null) {
            exchange.drop(thrown);
            return;
        }
        Log.eventFailed(name, thrown);
        if (kind == Layout.EVENT_HEAD) {
            commands.plain(Layout.COMMAND_RESET, 0, subject, 0, 0);
            commands.plain(Layout.COMMAND_RELEASE, 0, subject, 0, 0);
        }
    }

    private static int kind(long first) {
        return (int) (first >>> Layout.RECORD_KIND_SHIFT) & 0xFF;
    }

    private void handle(long first, long subject, long block, long value) {
        int kind = kind(first);
        if (kind == Layout.EVENT_HEAD) {
            handleHead(first, subject, block, value);
            return;
        }
        int reason = (int) (first >>> Layout.RECORD_REASON_SHIFT) & 0xFFFF;
        int length = (int) (first >>> Layout.RECORD_LENGTH_SHIFT);
        switch (kind) {
            case Layout.EVENT_DATA -> handleData(first, length, subject, block);
            case Layout.EVENT_TRAILERS -> handleTrailers(subject, block, length);
            case Layout.EVENT_SENT -> {
                Exchange exchange = exchange(subject);
                if (exchange != null) {
                    exchange.sent(reason);
                }
            }
            case Layout.EVENT_CREDIT -> {
                Exchange exchange = exchange(subject);
                if (exchange != null) {
                    exchange.addCredit(value);
                }
            }
            case Layout.EVENT_RESET -> {
                Exchange exchange = exchange(subject);
                if (exchange != null) {
                    exchange.reset(reason, length);
                }
            }
            case Layout.EVENT_CLOSED -> {
                PeerConnection connection = connections.remove(subject);
                if (connection != null) {
                    connection.closed(reason);
                }
            }
            case Layout.EVENT_UNLISTENED -> unlistened(subject);
            case Layout.EVENT_REFUSED -> {
                if (subject == 0) {
                    Log.connectionRefused(name, reason, block);
                } else {
                    Log.refused(connections.get(subject), subject, reason, value);
                }
            }
            case Layout.EVENT_ACCEPT_FAILED -> acceptFailures.failed(System.nanoTime(), length);
            case Layout.EVENT_SLAB_WANTED -> wantSlab();
            case Layout.EVENT_SLAB_EMPTY -> slabs.remove((int) value);
            default -> throw fault("event of unknown kind " + kind);
        }
    }

    private void handleHead(long first, long subject, long block, long value) {
        if (!closingConnections.isEmpty() && closingConnections.contains(value)) {
            commands.plain(Layout.COMMAND_RELEASE, 0, subject, 0, 0);
            return;
        }
        int slot = (int) subject & Layout.ID_SLOT_MASK;
        if (slot >= exchanges.length) {
            exchanges = Arrays.copyOf(exchanges, Math.max(slot + 1, 2 * exchanges.length));
        }
        Listener listener = listeners[(int) (first >>> Layout.RECORD_REASON_SHIFT) & 0xFFFF];
        int flags = (int) (first >>> Layout.RECORD_FLAGS_SHIFT) & 0xFF;
        Exchange exchange = pooled > 0 && listener.server.reuses() ? pool[--pooled] : new Exchange(this);
        exchange.begin(listener, subject, value, slabs.slab(block), Slabs.offset(block), flags);
        exchanges[slot] = exchange;
        if (!occupied.isEmpty()) {
            ArrayDeque<Exchange> waiting = occupied.get(value);
            if (waiting != null) {
                waiting.add(exchange);
                return;
            }
        }
        exchange.handle();
    }

    private void handleData(long first, int length, long subject, long block) {
        Exchange exchange = exchange(subject);
        if (exchange != null) {
            boolean end = (first >>> Layout.RECORD_FLAGS_SHIFT & Layout.FLAG_END) != 0;
            exchange.receive(block, length, end);
        } else if (block != 0) {
            // It came before C knew of the RELEASE.
            commands.plain(Layout.COMMAND_FREE, 0, subject, block, 0);
        }
    }

    private void handleTrailers(long subject, long block, int length) {
        Exchange exchange = exchange(subject);
        HeadCopy trailers = null;
        try {
            trailers = exchange == null ? null : new HeadCopy(slabs.slab(block), Slabs.offset(block), length);
        } finally {
            commands.plain(Layout.COMMAND_FREE, 0, subject, block, 0);
        }
        if (exchange != null) {
            exchange.receiveTrailers(trailers);
        }
    }

    /** The exchange of an id, or {@code null} if it was released. */
    private Exchange exchange(long id) {
        int slot = (int) id & Layout.ID_SLOT_MASK;
        Exchange exchange = slot < exchanges.length ? exchanges[slot] : null;
        if (exchange != null) {
            return exchange.id == id ? exchange : null;
        }
        Abandoned loose = loosened.isEmpty() ? null : loosened.get(id);
        return loose == null ? null : loose.get();
    }

    private void unlistened(long id) {
        int slot = (int) id & Layout.ID_SLOT_MASK;
        Listener listener = slot < listeners.length ? listeners[slot] : null;
        if (listener != null && listener.id == id) {
            listeners[slot] = null;
            listener.server.listenerGone();
        }
    }

    // ---- memory ----

    private void wantSlab() {
        if (slabWanted) {
            return;
        }
        slabWanted = true;
        try {
            Thread helper = new Thread(null, this::allocateSlab, name + "-memory");
            helper.setDaemon(true);
            helper.start();
        } catch (OutOfMemoryError noThread) {
            Log.slabNotAllocated(name, noThread);
            wantSlabLater();
        }
    }

    private void wantSlabLater() {
        later(Duration.ofSeconds(1), () -> {
            slabWanted = false;
            wantSlab();
        });
    }

    /** On the helper's thread: allocating zeroes the memory and may wait for a collection. */
    private void allocateSlab() {
        try {
            ByteBuffer slab = Slabs.allocate();
            inbox.offer(() -> addSlab(slab));
        } catch (OutOfMemoryError e) {
            Log.slabNotAllocated(name, e);
            inbox.offer(this::wantSlabLater);
        }
    }

    private void addSlab(ByteBuffer slab) {
        slabWanted = false;
        if (pointer != 0) {
            int index = slabs.add(pointer, slab);
            if (index < 0) {
                // C asks no second time: without memory of its own it may have some later.
                Log.slabRefused(name, -index);
                slabWanted = true;
                wantSlabLater();
            }
        }
    }

    // ---- the end ----

    private void close() {
        Throwable cause = failure;
        if (cause != null) {
            Log.loopFailed(name, cause);
        }
        closing = true;
        inbox.refuse();
        for (Exchange exchange : exchanges) {
            if (exchange != null) {
                try {
                    exchange.abandon(Layout.REASON_ABORTED);
                } catch (Throwable thrown) {
                    Log.taskFailed(name, thrown);
                }
            }
        }
        Arrays.fill(exchanges, null);
        for (Abandoned loose : List.copyOf(loosened.values())) {
            Exchange exchange = loose.get();
            if (exchange != null) {
                try {
                    exchange.abandon(Layout.REASON_ABORTED);
                } catch (Throwable thrown) {
                    Log.taskFailed(name, thrown);
                }
            }
        }
        loosened.clear();
        occupied.clear();
        prepared.end(this);
        for (Runnable task = inbox.poll(); task != null; task = inbox.poll()) {
            run(task);
        }
        release();
        for (PeerConnection connection : connections.values()) {
            try {
                connection.closed(Layout.REASON_CLOSED_HERE);
            } catch (Throwable thrown) {
                Log.taskFailed(name, thrown);
            }
        }
        connections.clear();
        for (Listener listener : listeners) {
            if (listener != null) {
                try {
                    listener.server.loopEnded(name, cause);
                } catch (Throwable thrown) {
                    Log.taskFailed(name, thrown);
                }
            }
        }
        Arrays.fill(listeners, null);
        ended.complete(null);
    }

    /** Gives back what open took, in the order that the kernel's use of it asks for. */
    private void release() {
        if (pointer != 0) {
            int stopped = Native.stop(pointer, STOP_NANOSECONDS);
            if (stopped == 0) {
                Native.destroy(pointer);
            } else {
                Log.memoryLeaked(name, -stopped);
                synchronized (LEAKED) {
                    LEAKED.add(region);
                    LEAKED.add(slabs);
                }
            }
            finalStats = Counters.read(region.bytes);
            pointer = 0;
            if (stopped == 0) {
                slabs.clear();
            }
        }
        region = null;
        inbox.close();
        Native.closeDescriptor(wakeDescriptor);
    }
}
