/**
 * Images of OCI registries: fetched by skopeo, unpacked by umoci, kept by digest.
 *
 * <p>Promises that what an environment starts from is whole and is what its digest says, that a tag
 * that moves changes no environment, and that a hostile image harms nothing: layers are unpacked by
 * a process that the kernel knows as root of environments and of nothing else, so that what is
 * outside cannot be written whatever a layer holds, and ownership is right at once. Sizes, counts
 * and times are limited.
 *
 * <p>What is not promised: a registry may send those who fetch layers to another address, as all
 * big ones do, and skopeo goes there; whoever wants to hold it back does so by the machine's
 * firewall. A registry at a private address is asked only if a setting names it.
 *
 * <p>Of what an image says of itself, its variables and its work folder count. Its user does not:
 * everybody is root inside, as in every environment, and may become the other. What it would run by
 * itself does not run. An image without {@code /bin/sh} and {@code sleep} is refused: nobody could
 * log in. Without bash, shells are {@code sh}. Processes begin in the image's work folder if there
 * is one and no disk is attached, else in the home folder: with a disk, what is elsewhere is lost.
 *
 * <p>Start at {@link gpuaas.local.image.registry.RegistryImages}.
 */
@NullMarked
package gpuaas.local.image.registry;

import org.jspecify.annotations.NullMarked;
