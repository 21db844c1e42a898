package io.gannet.internal;

import java.util.Arrays;

/**
 * The ids under which C keeps prepared responses for a loop (native/src/conn/prepared.h): a slot, and how many times that
 * was used. Only the loop's thread touches this.
 */
final class PreparedSlots {
    /** Who has the slot; {@code null}: nobody. */
    private PreparedCopies[] owners = new PreparedCopies[16];

    private int[] generations = new int[16];

    /** Slots that were given back. */
    private int[] free = new int[16];

    private int freed;
    private int used;
    private boolean ended;

    /** An id for the owner, never used before; 0: C can keep no more. */
    long take(PreparedCopies owner) {
        if (ended || freed == 0 && used == Layout.PREPARED_MAX) {
            return 0;
        }
        if (freed == 0 && used == owners.length) {
            // The owners last: only when all are longer are there more slots.
            free = Arrays.copyOf(free, 2 * used);
            generations = Arrays.copyOf(generations, 2 * used);
            owners = Arrays.copyOf(owners, 2 * used);
        }
        int slot = freed > 0 ? free[--freed] : used++;
        owners[slot] = owner;
        generations[slot] = generations[slot] == -1 ? 1 : generations[slot] + 1;
        return (long) generations[slot] << Layout.ID_GENERATION_SHIFT | slot;
    }

    /** Takes the id back; {@code false}: it was taken back before. */
    boolean giveBack(long id) {
        int slot = (int) id & Layout.ID_SLOT_MASK;
        if (ended || owners[slot] == null || generations[slot] != (int) (id >>> Layout.ID_GENERATION_SHIFT)) {
            return false;
        }
        owners[slot] = null;
        free[freed++] = slot;
        return true;
    }

    /** The loop ends, and with it all that C keeps. */
    void end(Loop loop) {
        ended = true;
        for (PreparedCopies owner : owners) {
            if (owner != null) {
                owner.remove(loop);
            }
        }
        Arrays.fill(owners, null);
    }
}
