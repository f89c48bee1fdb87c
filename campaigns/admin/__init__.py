"""The operator's console, served at the root of the site. ``campaigns.admin.site.site`` is its AdminSite."""
