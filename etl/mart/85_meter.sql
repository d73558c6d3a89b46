-- One row per meter, in the order in which answers list them, with how its count stands to those of others.
CREATE VIEW mart.meter AS
SELECT number, meter, part_of, in_prompt
  FROM (VALUES (1, 'input_token', NULL, true),
               (2, 'output_token', NULL, false),
               (3, 'reasoning_token', NULL, false),
               (4, 'cache_read_token', 'input_token', false),
               (5, 'cache_read_implicit_token', 'input_token', false),
               (6, 'cache_write_token', 'input_token', false),
               (7, 'cache_write_5m_token', 'input_token', false),
               (8, 'cache_write_1h_token', 'input_token', false),
               (9, 'cache_storage_token_hour', NULL, false),
               (10, 'input_image', NULL, false),
               (11, 'output_image', NULL, false),
               (12, 'request', NULL, false),
               (13, 'web_search', NULL, false),
               (14, 'input_character', NULL, false),
               (15, 'input_text_byte', NULL, false),
               (16, 'input_image_token', NULL, true),
               (17, 'cache_read_image_token', 'input_image_token', false),
               (18, 'output_image_token', NULL, false),
               (19, 'input_audio_token', NULL, true),
               (20, 'cache_read_audio_token', 'input_audio_token', false),
               (21, 'output_audio_token', NULL, false),
               (22, 'input_video_token', NULL, true),
               (23, 'cache_read_video_token', 'input_video_token', false),
               (24, 'output_video_token', NULL, false),
               (25, 'input_file_token', NULL, true),
               (26, 'cache_read_file_token', 'input_file_token', false),
               (27, 'output_file_token', NULL, false),
               (28, 'input_audio_second', NULL, false),
               (29, 'output_audio_second', NULL, false)) meter (number, meter, part_of, in_prompt);

COMMENT ON VIEW mart.meter IS
    'One row per meter, in the order in which answers list them, with how its count stands to those of others.';
