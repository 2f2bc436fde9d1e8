"""Backup: one button for a file with everything; the way back is in `backup_restore`."""

import os

from ui.backup import home_files
from ui.web.components import fields
from ui.web.components.units import size
from ui.web.markup import Markup, icon, joined
from ui.web.pages import backup_restore
from ui.web.plain import Visit, head


def body(visit: Visit) -> Markup:
    """The button, what is in the file, and the way back: all backups, one, or its restoring."""
    visit.sheet("people")
    lead = head(visit, "backup", visit.say("backup.lead", size=_size(visit)))
    if "restoring" in visit.query:
        return lead + backup_restore.going(visit)
    if "held" in visit.query:
        return lead + backup_restore.one(visit, visit.query["held"])
    form = Markup(
        '<form class="atl-card atl-form" data-download="POST /api/v1/backup" data-api='
        '"POST /api/v1/backup" data-ok="{}"><h2 class="atl-h3">{}</h2><p class="atl-small">{}</p>'
        '{}<div class="atl-actions"><button class="atl-button" data-kind="primary">{}{}</button>'
        "</div></form>"
    ).format(
        visit.say("backup.done"),
        visit.say("backup.make"),
        visit.say("backup.make-more"),
        fields.field(
            visit.say("backup.passphrase"),
            "passphrase",
            type="password",
            hint=visit.say("backup.passphrase-hint"),
            autocomplete="new-password",
            minlength=12,
        ),
        icon("download"),
        visit.say("backup.go"),
    )
    inside = joined(
        Markup("<dt>{}</dt><dd>{}</dd>").format(
            visit.say(f"backup.part.{name}"), visit.say(f"backup.part.{name}-more")
        )
        for name in ("store", "files", "checkpoints", "key", "not")
    )
    return joined(
        [
            lead,
            Markup('<div class="atl-split"><div class="atl-stack">{}{}</div>{}</div>').format(
                form,
                backup_restore.section(visit),
                Markup(
                    '<aside><section class="atl-card atl-stack"><h2 class="atl-h3">{}</h2>'
                    '<dl class="atl-facts">{}</dl></section></aside>'
                ).format(visit.say("backup.inside"), inside),
            ),
        ]
    )


def _size(visit: Visit) -> str:
    settings = visit.app.settings
    total = 0
    # the log beside the store: a young home is nearly all in it
    store = [settings.home / f"atelier.db{more}" for more in ("", "-wal")]
    for file in [*home_files(settings), *store]:
        try:
            total += os.stat(file).st_size
        except FileNotFoundError:
            continue  # erased meanwhile, or a store elsewhere
    return size(visit, total)
