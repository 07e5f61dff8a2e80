/* SPDX-License-Identifier: Apache-2.0 */
/* NVIDIA's published manifests. */

#include "codec/hex64.h"
#include "gpu/rim.h"
#include "test.h"

TEST(vectors_rim_first)
{
	AUTO_BUF b = { 0 };
	AUTO_RIM r = { 0 };

	NEED_VECTORS;
	load_vec(&b, "nvidia/rims/NV_GPU_DRIVER_GH100_550.144.03.xml");
	WORKS(rim_parse(&r, buf_view(&b), &e));
	WORKS(rim_chain(&r, NULL, &e));
	WORKS(rim_signed(&r, &e));
	EQ(r.n_active, 21);
}
