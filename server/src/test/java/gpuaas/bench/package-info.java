/**
 * Measurements: {@code ./dev bench …}.
 *
 * <p>Promises medians and percentiles of real runs; asserts nothing. Start at {@link
 * gpuaas.bench.LeaseBench}.
 */
@NullMarked
package gpuaas.bench;

import org.jspecify.annotations.NullMarked;
