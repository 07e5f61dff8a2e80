/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CVMBOX_BASE_BANNED_H
#define CVMBOX_BASE_BANNED_H

/* Calls that go wrong on outside data are compile errors.  Force-included into every file by the Makefile, behind the headers that declare them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets atoi atol atoll gmtime localtime ctime asctime system
#endif
