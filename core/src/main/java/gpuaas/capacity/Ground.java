package gpuaas.capacity;

import gpuaas.catalog.GpuType;
import gpuaas.catalog.GpuTypeStore;
import gpuaas.catalog.PriceBook;
import gpuaas.catalog.PriceStore;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;

/**
 * What a catalogue takes from the database: what is free of our own, our prices, and what came of
 * offers, whichever server saw it.
 *
 * @param outcomes oldest first
 */
record Ground(List<Room> own, PriceBook prices, List<GpuType> types, List<Outcome> outcomes) {

  static Ground read(Tx tx, Instant outcomesFrom) {
    return new Ground(
        List.copyOf(RoomStore.own(tx)),
        PriceStore.all(tx),
        List.copyOf(GpuTypeStore.written(tx)),
        OutcomeStore.since(tx, outcomesFrom));
  }
}
