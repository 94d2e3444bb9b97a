/**
 * What a place with GPUs must speak to be rented from: six methods, and small optional abilities.
 *
 * <p>Promises nothing about HTTP, SQL or leases, and depends on the JDK alone. Start at {@link
 * gpuaas.spi.Provider}; every implementation passes the {@code ProviderContract} in this module's
 * tests.
 */
@NullMarked
package gpuaas.spi;

import org.jspecify.annotations.NullMarked;
