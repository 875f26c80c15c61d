#include "store/store_figures.h"

#include "store/ops_internal.h"
#include "store/records_internal.h"

static int
figures_of(struct env *env, struct store_figures *figures_out)
{
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(env->mdb, &info) != 0 || mdb_env_stat(env->mdb, &stat) != 0)
		return -1;
	*figures_out = (struct store_figures){
		.map_bytes = info.me_mapsize,
		.used_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize,
		.readers = info.me_numreaders,
		.readers_most = info.me_maxreaders,
	};
	return 0;
}

int
ops_figures(struct ops *ops, struct store_figures *figures_out)
{
	return figures_of(ops->env, figures_out);
}

int
records_figures(struct records *records, struct store_figures *figures_out)
{
	return figures_of(records->env, figures_out);
}
