#include "api/type_info.h"

#include "common/attr.h"

const struct type_info type_infos[] = {
	{ "did-sync", "DID sync",
	    "Fetches one repository from the server that owns it, verifies it, and brings "
	    "the index up to date.", NULL },
	{ "pds-scan", "PDS scan",
	    "Goes through the repositories of one server, or of every known one, and syncs "
	    "those that changed.",
	    "It asks every known server for all of its repositories. That can take hours." },
	{ "freshness-scan", "Freshness scan",
	    "Walks the index from the stalest repository on and syncs what has moved since.",
	    "It asks for the latest commit of every repository in the index." },
	{ "governance-sync", "Governance sync",
	    "Brings the knowledge graph's nodes and edges up to date from the governance "
	    "repository.", NULL },
	{ "citation-extraction", "Citation extraction",
	    "Reads the documents of eprints, finds their references and matches them with "
	    "the index.",
	    "It fetches and reads the document of every eprint." },
	{ "full-reindex", "Full reindex",
	    "Builds the search index anew beside the live one and switches when it is done.",
	    "It reads every record; searches go on with the old index until it is done." },
	{ "full-sync", "Full sync",
	    "Syncs every repository of the index again, from scratch.",
	    "It fetches every repository as a whole, whether it has changed or not." },
	{ "catch-up", "Catch-up",
	    "Replays the event stream from where it was left, and syncs what the replay "
	    "cannot prove.", NULL },
};

const size_t type_infos_count = BF_ARRAY_LEN(type_infos);

const struct type_info *
type_info_find(struct str type)
{
	for (size_t i = 0; i < type_infos_count; i++)
		if (str_eq(type, str_from(type_infos[i].kebab)))
			return &type_infos[i];
	return NULL;
}

const char *
type_info_cost(const struct msg_trigger *trigger)
{
	const struct type_info *info = type_info_find(trigger->type);

	if (info == NULL || !str_is_empty(trigger->did) ||
	    !str_is_empty(trigger->pds_url) || !str_is_empty(trigger->uri) ||
	    !str_is_empty(trigger->items_of))
		return NULL;
	return info->cost;
}
