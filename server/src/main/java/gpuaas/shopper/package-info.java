/**
 * The dialect of the Cloud GPU Shopper documents: offers of all providers in one list, and sessions
 * on them, each with a key of its own that is shown once.
 *
 * <p>Promises the shapes, texts and numbers of those documents. Has no log-in by itself, so it
 * listens on loopback unless a key is set. Start at {@link gpuaas.shopper.ShopperDialect}.
 */
@NullMarked
package gpuaas.shopper;

import org.jspecify.annotations.NullMarked;
