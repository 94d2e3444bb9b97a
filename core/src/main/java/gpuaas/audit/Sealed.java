package gpuaas.audit;

import java.util.Optional;

/** A seal and what it is of; empty: that is gone. */
record Sealed(Seal seal, Optional<Entry> entry) {}
