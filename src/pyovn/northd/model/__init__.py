"""Views of the northbound rows as features want to see them."""
