from campaigns.admin.audiences import deeds, pages, segments

ROUTES = [
    ("audiences/", pages.index, "audiences"),
    ("audiences/new/", deeds.new, "audience_new"),
    ("audiences/from-file/<int:pk>/", deeds.from_import, "audience_from_import"),
    ("audiences/<int:pk>/", pages.page, "audience"),
    ("audiences/<int:pk>/state/", pages.state, "audience_state"),
    ("audiences/<int:pk>/file/", deeds.grow, "audience_grow"),
    ("audiences/<int:pk>/edit/", deeds.edit, "audience_edit"),
    ("audiences/<int:pk>/remove/", deeds.remove, "audience_remove"),
    ("audiences/<int:pk>/delete/", deeds.delete, "audience_delete"),
    ("audiences/<int:pk>/segments/new/", segments.new, "audience_segment_new"),
    ("audiences/<int:pk>/segments/<int:segment>/", segments.edit, "audience_segment"),
    ("audiences/<int:pk>/segments/<int:segment>/delete/", segments.delete, "audience_segment_delete"),
    ("audiences/files/<int:pk>/refused-rows.csv", pages.refused_rows, "audience_errors"),
]
